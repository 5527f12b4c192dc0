/** How well what is written is protected, by what the processes tell. */
import { setTimeout as wait } from "node:timers/promises";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import type { StatusReport } from "#src/control/control-plane.ts";

/** What there is to know of volumes and groups, whichever process told it. */
export type Protection = Pick<StatusReport, "volumes" | "groups">;

const pollMs = 20;

/** The local side of one tells of groups, that of another of volumes, and that of `up` of both. */
export function mergeStatus(reports: readonly Protection[]): Protection {
  return {
    volumes: reports.flatMap(({ volumes }) => volumes),
    groups: reports.flatMap(({ groups }) => groups),
  };
}

/** Why what is written is not protected in this mode, if so. */
export function unprotected({ volumes, groups }: Protection, mode: Mode): string | undefined {
  if (volumes.length === 0 || groups.length === 0) return "there is no volume, or no group";
  for (const { name, state, why } of volumes) {
    if (state !== "open") return `volume ${name} is ${state}${why === undefined ? "" : ` (${why})`}`;
  }
  for (const group of groups) {
    if (!group.linkUp) return `group ${group.name} has no link (${group.linkWhy ?? "not yet"})`;
    if (group.mode !== mode || group.state !== "steady") {
      return `group ${group.name} is ${group.state} in ${group.mode}${group.why === undefined ? "" : ` (${group.why})`}`;
    }
  }
  return undefined;
}

/** What the remote does not have of what was there before, if anything. */
export function uncopied(protection: Protection): string | undefined {
  const copied = protection.volumes.find(({ copy, baseMissing }) => copy !== undefined || baseMissing);
  return copied === undefined ? unsettled(protection) : `volume ${copied.name} is being copied`;
}

/** What is still on its way, if anything. */
export function unsettled({ volumes, groups }: Protection): string | undefined {
  const behind = volumes.find(({ added, applied }) => applied < added);
  if (behind !== undefined) return `volume ${behind.name} has applied ${behind.applied} of ${behind.added} writes`;
  const lagging = groups.find(({ lagRecords }) => lagRecords > 0);
  return lagging === undefined ? undefined : `group ${lagging.name} lags by ${lagging.lagRecords} records`;
}

/** Asks until nothing is missing any more. */
export async function until<Told>(
  ask: () => Promise<Told>,
  missing: (told: Told) => string | undefined,
  patienceMs: number,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const why = missing(await ask());
    if (why === undefined) return;
    if (performance.now() > deadline) throw new Error(`after ${patienceMs} ms still: ${why}`);
    await wait(pollMs);
  }
}
