/**
 * What happens to a volume while its host writes: modes and levels are switched, marks are set. Most of the time each write is to
 * be a point, so that there are many of them.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { WitnessedVolume } from "./witnessed-volume.ts";

type Deed = (volume: WitnessedVolume) => Promise<unknown>;

const forAWhile: readonly (readonly [Deed, Deed])[] = [
  [(volume) => volume.setMode("aggregated"), (volume) => volume.setMode("async")],
  [(volume) => volume.setMode("sync"), (volume) => volume.setMode("async")],
  [(volume) => volume.setMode("aggregated"), (volume) => volume.setMode("sync")],
  [(volume) => volume.setLevel("2s"), (volume) => volume.setLevel("every-write")],
];
const atOnce: readonly Deed[] = [(volume) => volume.mark(), (volume) => volume.markQuietly()];

/** On a busy machine work takes long, and each mark is looked at. */
const deedsMax = 40;

/** Goes on until the work has ended; answers how much was done. */
export async function unrest(volume: WitnessedVolume, random: SeededRandom, work: Promise<unknown>): Promise<number> {
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  work.then(end, end);
  let deeds = 0;
  for (; !isOver && deeds < deedsMax; deeds++) {
    await pause(random.between(100, 400));
    const [begin, finish] = random.pick(forAWhile);
    if (random.integerBelow(2) === 0) {
      await random.pick(atOnce)(volume);
      continue;
    }
    await begin(volume);
    await pause(random.between(50, 300));
    await finish(volume);
  }
  return deeds;
}
