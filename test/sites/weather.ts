/** What a seed's world is like: how large, how it is set up, and which kinds of faults there are. */
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";

export interface VolumePlan {
  readonly name: string;
  readonly blockCount: number;
}

export interface GroupPlan {
  readonly id: string;
  readonly name: string;
  readonly mode: Mode;
  readonly volumes: readonly VolumePlan[];
}

export interface Weather {
  readonly groups: readonly GroupPlan[];
  readonly linkLoss: "stall" | "degrade";
  readonly spoolSegmentBytes: number;
  readonly spoolLimitBytes: number;
  readonly lagBytesMax: number;
  /** When aggregates are cut. */
  readonly aggregateEveryMs: number;
  readonly aggregateBytesMax: number;
  /** What all groups together may send. */
  readonly bytesPerSecond: number;
  readonly steps: number;
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
}

export const modes = ["sync", "async", "aggregated"] as const satisfies readonly Mode[];

const KiB = 1024;
const MiB = 1024 * KiB;

export function drawWeather(random: SeededRandom): Weather {
  const groupCount = random.chance(0.2) ? 2 : 1;
  const groups = Array.from({ length: groupCount }, (_, index) => drawGroup(random, index));
  const isHarmful = random.chance(0.25);
  return {
    groups,
    linkLoss: random.chance(0.5) ? "stall" : "degrade",
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
  };
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
    })),
  };
}
