/** Something that can go wrong, and can be undone. */
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { ExpectedAlarm } from "./alarms.ts";
import type { World } from "./world.ts";

export interface Fault {
  /** Each of these fires while it lasts; nothing: whether any does is a matter of chance. */
  readonly alarms?: readonly ExpectedAlarm[];
  /** Undoes it, and resolves when that is done. */
  end(): Promise<void>;
}

export interface FaultKind {
  readonly name: string;
  /** Programs end by it: not where all are to live long. */
  readonly isFatal?: boolean;
  /** Undefined: there was nothing that it could happen to. */
  begin(world: World, random: SeededRandom): Promise<Fault | undefined>;
}

/** Nobody else does anything to the disk of this site meanwhile. */
export function inTurn(site: keyof World["turns"], { begin, ...kind }: FaultKind): FaultKind {
  return {
    ...kind,
    begin: async (world, random) => {
      const leave = await world.turns[site].take();
      try {
        const fault = await begin(world, random);
        if (fault !== undefined) return { ...fault, end: () => fault.end().finally(leave) };
        leave();
        return undefined;
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}
