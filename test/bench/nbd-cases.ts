/** What is measured of the NBD server, and how well it must do against the others. */
import type { Workload } from "./fio.ts";
import type { ServerName } from "./server.ts";

const KiB = 1024;

/** Where the file lies, and what is cached of it when a turn begins. */
export const placeNames = ["tmpfs", "disk", "cold"] as const;
export type PlaceName = (typeof placeNames)[number];

export interface NbdCase {
  readonly name: string;
  readonly title: string;
  readonly workload: Workload;
  readonly places: readonly PlaceName[];
  /** The least ratio of our rate to that of another. */
  readonly goals: Partial<Record<ServerName, number>>;
}

/** Measured of our server alone, in memory: what many connections cost. */
export const crowdCaseName = "crowd";

/** Resident, at any load. */
export const memoryPeakBytesGoal = 150_000_000;

const warm: readonly PlaceName[] = ["tmpfs", "disk"];
const small = { blockBytes: 4 * KiB, depth: 32, connections: 1 } as const;
const large = { blockBytes: 128 * KiB, depth: 32, connections: 1 } as const;

export const nbdCases: readonly NbdCase[] = [
  {
    name: "random-write",
    title: "4 KiB random write, depth 32",
    workload: { ...small, access: "randwrite" },
    places: warm,
    goals: { nbdkit: 1.2, "qemu-nbd": 3 },
  },
  {
    name: "random-read",
    title: "4 KiB random read, depth 32",
    workload: { ...small, access: "randread" },
    places: warm,
    goals: { nbdkit: 1.5, "qemu-nbd": 3 },
  },
  {
    name: "single-write",
    title: "4 KiB random write, depth 1",
    workload: { ...small, depth: 1, access: "randwrite" },
    places: warm,
    goals: { nbdkit: 0.9 },
  },
  {
    name: "single-read",
    title: "4 KiB random read, depth 1",
    workload: { ...small, depth: 1, access: "randread" },
    places: warm,
    goals: { nbdkit: 0.9 },
  },
  {
    name: "sequential-write",
    title: "128 KiB sequential write, depth 32",
    workload: { ...large, access: "write" },
    places: warm,
    goals: { nbdkit: 1 },
  },
  {
    name: "sequential-read",
    title: "128 KiB sequential read, depth 32",
    workload: { ...large, access: "read" },
    places: warm,
    goals: { nbdkit: 1 },
  },
  {
    name: "four-connections-write",
    title: "4 KiB random write, 4 connections of depth 32",
    workload: { ...small, connections: 4, access: "randwrite" },
    places: warm,
    goals: { nbdkit: 1, "qemu-nbd": 3 },
  },
  {
    name: "four-connections-read",
    title: "4 KiB random read, 4 connections of depth 32",
    workload: { ...small, connections: 4, access: "randread" },
    places: warm,
    goals: { nbdkit: 1, "qemu-nbd": 3 },
  },
  {
    name: "cold-random-read",
    title: "4 KiB random read, depth 32",
    workload: { ...small, access: "randread" },
    places: ["cold"],
    goals: { nbdkit: 0.8 },
  },
];
