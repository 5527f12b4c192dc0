/**
 * What keeps a program from its work. Ready means that every volume and every group it has can take writes; that they are
 * kept less well than they should be is a problem, and no reason to send hosts elsewhere.
 */
import { counted } from "#src/core/counted.ts";
import { hostWaitSecondsMax } from "#src/core/http-limits.ts";
import type { CopyProgress, GroupFacts, RemoteGroupFacts, StoreFacts, VolumeFacts } from "./role.ts";
import type { SideName } from "./side.ts";
import { quotaTroubles } from "./volume-quotas.ts";

/** A group, and how many volumes it has, where that is known. */
export interface GroupReport extends GroupFacts {
  readonly volumes?: number;
}

export interface Work {
  readonly silent: readonly { readonly side: SideName; readonly seconds: number }[];
  readonly volumes: readonly Pick<VolumeFacts, "name" | "state" | "why" | "hostWaitSeconds" | "hostWaitFor" | "copy">[];
  readonly groups: readonly GroupReport[];
  readonly store?: Pick<StoreFacts, "trouble" | "jobTroubles" | "state"> | undefined;
  readonly remoteGroups: readonly Pick<RemoteGroupFacts, "name" | "state" | "why" | "sealWhy" | "isSealStuck">[];
}

export interface Readiness {
  /** Why not, one by one. */
  readonly obstacles: readonly string[];
  /** What is not as it should be although writes are taken. */
  readonly problems: readonly string[];
}

export function readinessOf({ silent, volumes, groups, remoteGroups, store }: Work): Readiness {
  const isInUse = (group: GroupReport): boolean => group.volumes !== 0 || group.lagRecords > 0;
  const inUse = groups.filter(isInUse);
  return {
    obstacles: [
      ...silent.map(({ side, seconds }) => `the ${side} side has not answered for ${seconds} s`),
      ...volumes.filter(({ state }) => stopsWrites[state]).map(describeVolume),
      ...volumes.filter(({ state }) => !stopsWrites[state]).flatMap(standstillOf),
      ...inUse.filter(isStopped).map(describeStop),
    ],
    problems: [
      ...volumes.filter(({ state }) => state === "tracking").map(describeVolume),
      ...inUse.filter((group) => !isStopped(group)).flatMap(troubleOf),
      // Nobody knows of the state of some what volumes it was for.
      ...groups.filter((group) => !isInUse(group) && group.state === "stopped").map(describeStop),
      ...remoteGroups
        .filter(({ why }) => why !== undefined)
        .map(({ name, state, why }) => `group ${name} is ${state} at the remote appliance${because(why)}`),
      ...(store?.trouble === undefined ? [] : [store.trouble]),
      ...(store?.jobTroubles ?? []),
      ...damageTroubles(store),
      ...quotaTroubles(store?.state?.kept),
      ...remoteGroups.filter(({ sealWhy }) => sealWhy !== undefined).map(sealTrouble),
    ],
  };
}

const stopsWrites: Readonly<Record<VolumeFacts["state"], boolean>> = {
  open: false,
  tracking: false,
  opening: true,
  redoing: true,
  stalled: true,
  full: true,
  fenced: true,
  stopped: true,
  failed: true,
};

const stateInWords: Readonly<Partial<Record<VolumeFacts["state"], string>>> = {
  opening: "is being opened",
  redoing: "is brought to its newest state",
  stalled: "waits",
  tracking: "goes on unprotected",
  full: "waits for room",
  failed: "could not be opened",
};

function describeVolume({ name, state, why }: Pick<VolumeFacts, "name" | "state" | "why">): string {
  return `volume ${name} ${stateInWords[state] ?? `is ${state}`}${because(why)}`;
}

/** Its state does not tell: nothing has failed, and nothing is done. */
function standstillOf({ name, hostWaitSeconds = 0, hostWaitFor, copy }: Work["volumes"][number]): string[] {
  if (hostWaitSeconds < hostWaitSecondsMax) return [];
  if (hostWaitFor === "resync") {
    const done = copy === undefined || copy.bytesTotal === 0 ? "" : `, of which ${percentOf(copy)} % are copied`;
    return [
      `flushes of volume ${name} have waited for ${hostWaitSeconds} s for its resync${done}: in sync they are answered when the ` +
        "remote appliance has all of it; give the link time, it goes on by itself",
    ];
  }
  const where = "look at the disks of its source and of its spool";
  return [`nothing that hosts of volume ${name} wait for was done for ${hostWaitSeconds} s: ${where}`];
}

function percentOf({ bytesDone, bytesTotal }: CopyProgress): number {
  return Math.floor((bytesDone / bytesTotal) * 100);
}

/** At a limit writers wait too, but not for anything that would have to be mended as long as the remote goes on taking. */
function isStopped({ state, pressure, linkUp }: GroupReport): boolean {
  return state === "stopped" || (state === "stalled" && !(pressure >= 1 && linkUp));
}

function describeStop({ name, why }: GroupReport): string {
  return `group ${name} takes no writes${because(why)}`;
}

function troubleOf({ name, why, linkUp, linkWhy }: GroupReport): string[] {
  if (!linkUp) return [`group ${name} has no link to the remote appliance${because(why ?? linkWhy)}`];
  return why === undefined ? [] : [`group ${name}${because(why)}`];
}

/** What does not pass by itself is told with what to do when it is mended. */
function sealTrouble({ name, sealWhy, isSealStuck }: Work["remoteGroups"][number]): string {
  if (isSealStuck !== true) return `what group ${name} has written waits for the store${because(sealWhy)}`;
  const advice = "it is tried again ever more rarely; when it is mended 'tidemark store retry' tries it at once";
  return `what group ${name} has written cannot be stored${because(sealWhy)} (${advice})`;
}

/** Also where no scrub has told of it: a read may have met it. */
function damageTroubles(store: Work["store"]): string[] {
  const count = store?.state?.scrub.findings ?? 0;
  if (count === 0 || store?.jobTroubles.some((one) => one.startsWith("the last scrub of the store has found")))
    return [];
  return [
    `the store is damaged, and not all of that is repaired: ${counted(count, "finding")}; 'tidemark scrub' tells more`,
  ];
}

function because(why: string | undefined): string {
  return why === undefined ? "" : `: ${why}`;
}
