/**
 * Commands that are typed again and again, and run by scripts: each of them is loaded without the others, which takes a third of the
 * time that all of them do.
 */
import type { Command } from "./command.ts";

const loads = {
  bisect: async () => (await import("./bisect.ts")).bisectCommand,
  diff: async () => (await import("./diff.ts")).diffCommand,
  drill: async () => (await import("./drill.ts")).drillCommand,
  job: async () => (await import("./job.ts")).jobCommand,
  mark: async () => (await import("./mark.ts")).markCommand,
  mode: async () => (await import("./mode.ts")).modeCommand,
  points: async () => (await import("./points.ts")).pointsCommand,
  restore: async () => (await import("./restore.ts")).restoreCommand,
  status: async () => (await import("./status.ts")).statusCommand,
  view: async () => (await import("./view.ts")).viewCommand,
  volume: async () => (await import("./volume.ts")).volumeCommand,
} satisfies Record<string, () => Promise<Command>>;

export const namesAlone = Object.keys(loads);

/** Undefined: it is none of them. */
export async function commandAlone(name: string | undefined): Promise<Command | undefined> {
  if (name === undefined || !Object.hasOwn(loads, name)) return undefined;
  return loads[name as keyof typeof loads]();
}
