/** What is measured of the protected path, and how well it must do against the others. */
import type { Workload } from "./fio.ts";
import type { ContenderName } from "./path-contenders.ts";

const KiB = 1024;

export const placeNames = ["tmpfs", "disk"] as const;
export type PlaceName = (typeof placeNames)[number];

export function folderOf(place: PlaceName, diskFolder: string): string {
  return place === "tmpfs" ? "/dev/shm" : diskFolder;
}

export const measures = ["rate", "p50 latency", "p99.9 latency"] as const;
export type Measure = (typeof measures)[number];

/** Of a rate the least, of a latency the greatest ratio that will do. */
export interface PathGoal {
  readonly contender: ContenderName;
  readonly against: ContenderName;
  readonly measure: Measure;
  /** Null: the ratio is told, and nothing is asked of it. */
  readonly bound: Readonly<Record<PlaceName, number | null>>;
}

export interface PathCase {
  readonly name: string;
  readonly title: string;
  readonly workload: Workload;
  readonly goals: readonly PathGoal[];
}

const small = { access: "randwrite", blockBytes: 4 * KiB, depth: 32, connections: 1 } as const;

const both = (bound: number | null) => ({ tmpfs: bound, disk: bound });

function unprotectedRate(bound: PathGoal["bound"]): PathGoal {
  return { contender: "tidemark async", against: "nbdkit", measure: "rate", bound };
}

const unprotectedTail: PathGoal = {
  contender: "tidemark async",
  against: "nbdkit",
  measure: "p99.9 latency",
  bound: both(3),
};

function mirrorGoal(mode: "sync" | "async", measure: Measure, bound: number | null): PathGoal {
  const against = mode === "sync" ? "mirror blocking" : "mirror background";
  return { contender: `tidemark ${mode}`, against, measure, bound: both(bound) };
}

export const pathCases: readonly PathCase[] = [
  {
    name: "random-write",
    title: "4 KiB random write, depth 32",
    workload: small,
    goals: [
      unprotectedRate({ tmpfs: 0.6, disk: 0.9 }),
      unprotectedTail,
      mirrorGoal("async", "rate", 4),
      mirrorGoal("sync", "rate", 4),
    ],
  },
  {
    name: "single-write",
    title: "4 KiB random write, depth 1",
    workload: { ...small, depth: 1 },
    goals: [
      unprotectedRate(both(0.8)),
      unprotectedTail,
      mirrorGoal("async", "rate", null),
      mirrorGoal("sync", "p50 latency", 0.5),
    ],
  },
  {
    name: "sequential-write",
    title: "128 KiB sequential write, depth 32",
    workload: { ...small, access: "write", blockBytes: 128 * KiB },
    goals: [
      unprotectedRate(both(0.3)),
      unprotectedTail,
      mirrorGoal("async", "rate", null),
      mirrorGoal("sync", "rate", null),
    ],
  },
  {
    name: "flushed-write",
    title: "4 KiB random write, depth 32, a FLUSH after every 32",
    workload: { ...small, writesPerFlush: 32 },
    goals: [
      unprotectedRate(both(null)),
      { ...unprotectedTail, bound: both(null) },
      mirrorGoal("async", "rate", null),
      mirrorGoal("sync", "rate", null),
    ],
  },
];

/** Measured beside the cases, each in its own way. */
export const extraNames = [
  "sustained",
  "memory",
  "volumes",
  "hot-spot",
  "thin-link",
  "beside-sealing",
  "initial-copy",
  "beside-copy",
  "resync",
  "region-map",
] as const;
export type ExtraName = (typeof extraNames)[number];

/** Of what disk and amplification allow. */
export const sustainedShareGoal = 0.9;
/** Anonymous, of all roles together. */
export const anonymousBytesGoal = 250_000_000;
/** The rate of many volumes to that of one at the same load. */
export const volumesRatioGoal = 0.9;
/** Aggregated to async: bytes that are shipped, and the rate. */
export const hotSpotBytesGoal = 0.2;
export const hotSpotRateGoal = 1;
/** The host gets what it asks for, and the lag of the last third of the time is at most so much more than the second's. */
export const thinLinkRateGoal = 0.98;
export const thinLinkLagGoal = 1.25;
/** The speed of the first copy to nbdcopy's, and a host's writes beside it to what they are without. */
export const initialCopyGoal = 0.8;
export const besideCopyGoal = 0.5;
/** Of the volume: what is read, and what is sent, where a hundredth of the regions was written. */
export const resyncGoal = 0.013;
/** The rate with it to that without, where all regions are marked. */
export const regionMapGoal = 0.97;
/** The first is what the others are held against: each volume a group of its own, and all of them in one. */
export const volumeSpreads: readonly { readonly volumes: number; readonly groups: number }[] = [
  { volumes: 1, groups: 1 },
  { volumes: 4, groups: 1 },
  { volumes: 16, groups: 1 },
  { volumes: 64, groups: 1 },
  { volumes: 4, groups: 4 },
  { volumes: 16, groups: 16 },
  { volumes: 64, groups: 64 },
];
