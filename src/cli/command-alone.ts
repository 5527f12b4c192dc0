/**
 * Each command by its name, loaded without the others: all of them together take longer to load than most of them run, and a start
 * of the program would carry them as long as it lives. They are loaded together only where all are listed.
 */
import type { Command } from "./command.ts";

const loads = {
  attach: async () => (await import("./attach.ts")).attachCommand,
  audit: async () => (await import("./audit.ts")).auditCommand,
  bisect: async () => (await import("./bisect.ts")).bisectCommand,
  collect: async () => (await import("./collect.ts")).collectCommand,
  config: async () => (await import("./config.ts")).configCommand,
  demo: async () => (await import("./demo.ts")).demoCommand,
  detach: async () => (await import("./detach.ts")).detachCommand,
  diff: async () => (await import("./diff.ts")).diffCommand,
  drill: async () => (await import("./drill.ts")).drillCommand,
  dump: async () => (await import("./dump.ts")).dumpCommand,
  events: async () => (await import("./events.ts")).eventsCommand,
  group: async () => (await import("./group.ts")).groupCommand,
  index: async () => (await import("./index-rebuild.ts")).indexCommand,
  interceptor: async () => (await import("./roles.ts")).interceptorCommand,
  job: async () => (await import("./job.ts")).jobCommand,
  level: async () => (await import("./level.ts")).levelCommand,
  local: async () => (await import("./roles.ts")).localCommand,
  mark: async () => (await import("./mark.ts")).markCommand,
  mode: async () => (await import("./mode.ts")).modeCommand,
  points: async () => (await import("./points.ts")).pointsCommand,
  rebuild: async () => (await import("./rebuild.ts")).rebuildCommand,
  remote: async () => (await import("./roles.ts")).remoteCommand,
  restore: async () => (await import("./restore.ts")).restoreCommand,
  scrub: async () => (await import("./scrub.ts")).scrubCommand,
  serve: async () => (await import("./serve.ts")).serveCommand,
  snapshot: async () => (await import("./snapshot.ts")).snapshotCommand,
  status: async () => (await import("./status.ts")).statusCommand,
  store: async () => (await import("./store.ts")).storeCommand,
  story: async () => (await import("./story.ts")).storyCommand,
  timeline: async () => (await import("./timeline.ts")).timelineCommand,
  token: async () => (await import("./token.ts")).tokenCommand,
  trace: async () => (await import("./trace.ts")).traceCommand,
  up: async () => (await import("./roles.ts")).upCommand,
  verify: async () => (await import("./verify.ts")).verifyCommand,
  view: async () => (await import("./view.ts")).viewCommand,
  volume: async () => (await import("./volume.ts")).volumeCommand,
} satisfies Record<string, () => Promise<Command>>;

export const namesAlone = Object.keys(loads);

/** Undefined: it is none of them. */
export async function commandAlone(name: string | undefined): Promise<Command | undefined> {
  if (name === undefined || !Object.hasOwn(loads, name)) return undefined;
  return loads[name as keyof typeof loads]();
}
