/** Volumes that were fenced since their group has failed, and go back to work when it has another spool. */
import { listed } from "#src/core/counted.ts";
import type { GroupReport } from "./readiness.ts";
import type { VolumeFacts } from "./role.ts";
import type { SideClient } from "./side-client.ts";
import { errorOf } from "./side-error.ts";

export interface StillFenced {
  readonly volume: string;
  readonly why: string;
}

/** The group as it is with its new spool. */
export interface SpoolMove extends GroupReport {
  /** Whatever for. Absent: none. */
  readonly stillFenced?: readonly StillFenced[];
}

type Fenced = Pick<VolumeFacts, "name" | "group" | "state" | "why" | "fencedBy">;

/** What became of those that were tried: what failed, or nothing. */
type Outcomes = ReadonlyMap<string, Error | undefined>;

export function fencedOf<Facts extends Fenced>(group: string, volumes: readonly Facts[]): readonly Facts[] {
  return volumes.filter((volume) => volume.group === group && volume.state === "fenced");
}

/**
 * Those that the group has fenced: what its own source has done to another one, no spool mends. Together, since any may be
 * held up by its source for as long as whoever asks has patience.
 */
export async function unfenceAll(side: Pick<SideClient, "ask">, fenced: readonly Fenced[]): Promise<Outcomes> {
  const byGroup = fenced.filter(({ fencedBy }) => fencedBy === "group");
  const outcomes = byGroup.map(async ({ name }): Promise<[string, Error | undefined]> => {
    const failure = await side.ask("unfence", { name }).then(
      () => undefined,
      (error: Error) => error,
    );
    return [name, failure];
  });
  return new Map(await Promise.all(outcomes));
}

/** Tried or not. One that was taken back is none, however old its facts are; one that is held up in that is. */
export function stillFencedOf(group: string, volumes: readonly Fenced[], outcomes: Outcomes): readonly StillFenced[] {
  const left = volumes.filter(({ name, state, ...volume }) => {
    if (volume.group !== group) return false;
    if (outcomes.has(name) && outcomes.get(name) === undefined) return false;
    return state === "fenced" || (outcomes.has(name) && state === "redoing");
  });
  return left.map(({ name, why }) => ({ volume: name, why: outcomes.get(name)?.message ?? why ?? "nobody knows why" }));
}

/** The group may open by itself, or work already: then nobody else takes these back. */
export function helpedOn(error: Error, fenced: readonly Fenced[]): Error {
  if (fenced.length === 0) return error;
  const names = listed(fenced.map(({ name }) => `'${name}'`));
  const help = "when the group works, 'tidemark volume unfence NAME' takes a volume back to work";
  const list = `fenced ${names.length === 1 ? "is" : "are"} ${names.join(", ")}`;
  return errorOf({ name: error.name, message: `${error.message}; ${help}: ${list}` });
}
