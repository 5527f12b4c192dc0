/** How a world's store is kept: what is sealed when, what is done with it later, and what happens to it. */
import type { RemoteOptions } from "#src/appliance/remote/remote-options.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";

/** How what is closed is sealed. */
export interface Sealing {
  readonly options: Pick<
    RemoteOptions,
    "sealAfterMs" | "sealRetryMs" | "segmentSlots" | "unsealedBytesMax" | "keptPieceBytes"
  >;
  /** What the spool keeps until it is sealed. */
  readonly spoolKeepBytes: number;
  /** The process that keeps the store ends by itself, at any of its calls. */
  readonly keeperEnds: boolean;
  /** And the machine loses its power with it. */
  readonly cutsPower: boolean;
  /** Its index is lost, now and then, or an old one is put back. */
  readonly lostIndexes: boolean;
  readonly isEncrypted: boolean;
  /** Undefined: nothing is done with what is sealed. */
  readonly works: StoreWorks | undefined;
}

/** Long works over the store. */
export interface StoreWorks {
  /** So long every point is kept. */
  readonly keepMs: number;
  /** So long an old generation stays beside the new one. */
  readonly graceMs: number;
  /** How often one is asked for, at a step. */
  readonly chance: number;
  /** Single bits flip in the store, and are turned back. */
  readonly flips: boolean;
  /** The remote appliance loses its folder, and is made anew of the store. */
  readonly lostFolders: boolean;
}

const KiB = 1024;
const MiB = 1024 * KiB;

/** `isHarmful`: bits flip anywhere, and nobody can say what is left then; or disks fail. */
export function drawSealing(
  random: SeededRandom,
  harm: { readonly flips: boolean; readonly errors: boolean; readonly powerCuts: boolean },
): Sealing | undefined {
  if (random.chance(0.6)) return undefined;
  const plain: Sealing = {
    options: {
      sealAfterMs: random.pick([20, 300, 3_000, 30_000]),
      sealRetryMs: random.pick([10, 500]),
      // The least that a largest record fits into, and far more than a world writes.
      segmentSlots: random.pick([256, 300, 65_536]),
      unsealedBytesMax: random.pick([256 * KiB, 64 * MiB]),
      keptPieceBytes: 64 * MiB,
    },
    spoolKeepBytes: random.pick([0, 0, 128 * KiB, 64 * MiB]),
    keeperEnds: random.chance(0.5),
    cutsPower: false,
    lostIndexes: random.chance(0.2),
    isEncrypted: random.chance(0.2),
    works: undefined,
  };
  const workful = random.fork("works");
  return harm.flips || workful.chance(0.4) ? plain : withWorks(plain, workful, harm);
}

function withWorks(
  sealing: Sealing,
  random: SeededRandom,
  { errors, powerCuts }: { readonly errors: boolean; readonly powerCuts: boolean },
): Sealing {
  // Not both: what is damaged in the store cannot be made journals of before it was repaired.
  const hazard = errors ? "none" : random.pick(["none", "flips", "flips", "lost folder"] as const);
  return {
    ...sealing,
    options: {
      ...sealing.options,
      // Often, or there would be nothing to collect.
      sealAfterMs: random.pick([20, 20, 300, 3_000]),
      keptPieceBytes: random.pick([0, 0, 64 * MiB]),
    },
    cutsPower: powerCuts && random.chance(0.5),
    works: {
      keepMs: random.pick([1, 1, 50, 500, 5_000, 3_600_000, Number.POSITIVE_INFINITY]),
      graceMs: random.pick([0, 20, 2_000]),
      chance: random.pick([0.15, 0.4]),
      flips: hazard === "flips",
      lostFolders: hazard === "lost folder",
    },
  };
}
