/** What a seed's world is like: how large, how it is set up, and which kinds of faults there are. */
import type { AutoPolicy } from "#src/appliance/local/auto-mode.ts";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { HeldRange } from "./held-content.ts";
import { drawSealing, type Sealing } from "./store-weather.ts";

export interface VolumePlan {
  readonly name: string;
  readonly blockCount: number;
  /** So many sectors are missing in the last block. */
  readonly cutCells: number;
  /** What the source holds before it is protected. */
  readonly held: readonly HeldRange[];
}

export interface GroupPlan {
  readonly id: string;
  readonly name: string;
  readonly mode: Mode;
  /** From its beginning on it is auto that picks the mode. */
  readonly isAuto?: true;
  readonly volumes: readonly VolumePlan[];
}

export interface Weather {
  readonly groups: readonly GroupPlan[];
  readonly linkLoss: "stall" | "degrade";
  /** What auto goes by. Undefined: nobody asks for it. */
  readonly auto: AutoPolicy | undefined;
  readonly spoolSegmentBytes: number;
  readonly spoolLimitBytes: number;
  readonly lagBytesMax: number;
  /** When aggregates are cut. */
  readonly aggregateEveryMs: number;
  readonly aggregateBytesMax: number;
  /** What all groups together may send. */
  readonly bytesPerSecond: number;
  readonly steps: number;
  /** When the spool is full: writers wait, or their volumes go on unprotected. */
  readonly overflow: "stall" | "track";
  readonly overflowAfterMs: number;
  /** When a source is full: writers wait, or are refused. */
  readonly whenFull: "wait" | "refuse";
  readonly copyBytesPerSecond: number;
  /** The link is away for long. */
  readonly longCuts: boolean;
  /** Hosts write much at a time. */
  readonly largeWrites: boolean;
  /** Sources have no room for a while. */
  readonly fullSources: boolean;
  /** Somebody writes to sources by himself, and orders that they are copied anew. */
  readonly changedSources: boolean;
  /** Spools are lost, and others begun. */
  readonly lostSpools: boolean;
  /** Volumes get other sizes. */
  readonly resizes: boolean;
  readonly kills: boolean;
  readonly powerCuts: boolean;
  readonly network: boolean;
  readonly slowDisks: boolean;
  readonly fullDisks: boolean;
  readonly clocks: boolean;
  /** Disks answer with errors: whoever promises something must stop rather than go on. */
  readonly errors: boolean;
  /** Bits flip in what is kept on the disks. */
  readonly flips: boolean;
  /** Undefined: the remote has no store, and what has landed stays where it is. */
  readonly sealing: Sealing | undefined;
}

export const modes = ["sync", "async", "aggregated"] as const satisfies readonly Mode[];

const KiB = 1024;
const MiB = 1024 * KiB;

export function drawWeather(random: SeededRandom): Weather {
  const groupCount = random.chance(0.2) ? 2 : 1;
  const groups = Array.from({ length: groupCount }, (_, index) => drawGroup(random, index));
  const isHarmful = random.chance(0.25);
  const plain: Weather = {
    groups,
    linkLoss: random.chance(0.5) ? "stall" : "degrade",
    auto: undefined,
    // As small as a largest batch allows.
    spoolSegmentBytes: 1_179_648,
    spoolLimitBytes: random.pick([8 * MiB, 32 * MiB]),
    lagBytesMax: random.pick([512 * KiB, 4 * MiB, 64 * MiB]),
    aggregateEveryMs: random.pick([2, 50, 1_000]),
    aggregateBytesMax: random.pick([64 * KiB, 2 * MiB, 64 * MiB]),
    bytesPerSecond: random.fork("link").pick([Number.POSITIVE_INFINITY, 300 * KiB, 4 * MiB]),
    steps: random.between(8, 30),
    kills: random.chance(0.7),
    powerCuts: random.chance(0.7),
    network: random.chance(0.7),
    slowDisks: random.chance(0.4),
    fullDisks: random.chance(0.25),
    clocks: random.chance(0.2),
    errors: isHarmful && random.chance(0.6),
    flips: isHarmful && random.chance(0.6),
    ...calm,
    resizes: random.fork("resizes").chance(0.3),
    sealing: undefined,
  };
  const sealing = drawSealing(random.fork("sealing"), plain);
  // What is kept by its age is kept by clocks.
  const clocks = plain.clocks || (sealing?.works !== undefined && random.fork("clocks").chance(0.4));
  return withAuto(withContents({ ...plain, clocks, sealing }, random), random.fork("who moves modes"));
}

/** Sooner than it moves unless told otherwise: a story lasts for some seconds. */
function withAuto(weather: Weather, random: SeededRandom): Weather {
  if (!random.chance(0.15)) return weather;
  const auto = {
    answerMsMax: random.pick([1, 5, 50, 1_000]),
    lagSecondsMax: random.pick([0.05, 1, 10]),
    bytesPerSecondMax: random.pick([100 * KiB, Number.POSITIVE_INFINITY]),
    downAfterMs: random.pick([0, 1_000]),
    upAfterMs: random.pick([0, 1_000, 3_000]),
    upAfterMsMax: random.pick([3_000, 60_000]),
  };
  const groups = weather.groups.map((group) => (random.chance(0.7) ? autoGroup(group) : group));
  return { ...weather, auto, groups };
}

/** It begins in async. */
function autoGroup(group: GroupPlan): GroupPlan {
  return { ...group, mode: "async", isAuto: true };
}

function withContents(plain: Weather, random: SeededRandom): Weather {
  const eventful = random.fork("contents");
  return eventful.chance(0.6) ? withCopies(plain, eventful) : plain;
}

/** Nothing that is there has to be copied. */
const calm = {
  overflow: "stall",
  overflowAfterMs: 0,
  whenFull: "wait",
  copyBytesPerSecond: 64 * MiB,
  largeWrites: false,
  longCuts: false,
  fullSources: false,
  changedSources: false,
  lostSpools: false,
} as const;

function withCopies(weather: Weather, random: SeededRandom): Weather {
  const overflows = random.chance(0.5);
  return {
    ...weather,
    groups: weather.groups.map((group) => ({
      ...group,
      volumes: group.volumes.map((one) => withContent(one, random)),
    })),
    overflow: overflows ? "track" : "stall",
    overflowAfterMs: random.pick([0, 300, 3_000]),
    // Two files of a spool, and a little more.
    ...(overflows ? { spoolLimitBytes: random.pick([2_359_296, 4 * MiB]), lagBytesMax: 64 * MiB } : {}),
    whenFull: random.pick(["wait", "refuse"]),
    copyBytesPerSecond: random.pick([300 * KiB, 4 * MiB, 64 * MiB, Number.POSITIVE_INFINITY]),
    largeWrites: overflows && random.chance(0.7),
    longCuts: overflows && random.chance(0.7),
    fullSources: random.chance(0.3),
    changedSources: random.chance(0.4),
    lostSpools: random.chance(0.3),
  };
}

function withContent(volume: VolumePlan, random: SeededRandom): VolumePlan {
  const { blockCount } = volume;
  const held: HeldRange[] = [];
  if (random.chance(0.6)) {
    for (let startBlock = random.integerBelow(40); startBlock < blockCount; startBlock += random.between(1, 200)) {
      const count = Math.min(blockCount - startBlock, random.pick([1, 3, 20, 150]));
      held.push({ startBlock, blockCount: count });
      startBlock += count;
    }
  }
  return { ...volume, held, cutCells: random.pick([0, 0, 1, 7]) };
}

function drawGroup(random: SeededRandom, index: number): GroupPlan {
  const volumeCount = random.chance(0.3) ? 2 : 1;
  return {
    id: random.bytes(16).toString("hex"),
    name: `group${index}`,
    mode: random.pick(modes),
    volumes: Array.from({ length: volumeCount }, (_, volume) => ({
      name: `volume${index}${volume}`,
      // More than one region, for most.
      blockCount: random.pick([16, 64, 280, 520]),
      cutCells: 0,
      held: [],
    })),
  };
}
