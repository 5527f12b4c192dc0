/** A collection beside sealing that ends after so many calls to the disk, in a process that is killed or whose power goes. */
import { assert } from "#src/core/assert.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { CollectionLives, type End, type Life } from "./collection-lives.ts";

/** A store of which half is not needed any more, and two segments that are to be sealed. */
async function prepared(seed: number) {
  const lives = new CollectionLives(seed);
  const random = new SeededRandom(seed);
  const life = await lives.run(lives.open());
  for (let count = 0; count < 4; count++) {
    const closed = lives.nextSegment(random, 12);
    await lives.run(lives.seal(life, closed));
    lives.addPoint(random, closed);
  }
  lives.expireOldest();
  lives.expireOldest();
  lives.expireOldest();
  await lives.run(life.close());
  const next = [lives.nextSegment(random, 12), lives.nextSegment(random, 12)];
  for (const { segment } of next) lives.sealed.delete(segment);
  return { lives, next };
}

async function livedThrough(seed: number, pointsBefore: number, end: End): Promise<boolean> {
  const { lives, next } = await prepared(seed);
  const work = async (life: Life): Promise<void> => {
    await Promise.all([
      lives.collect(life),
      (async () => {
        for (const closed of next) {
          await lives.seal(life, closed);
          lives.sealed.set(closed.segment, closed);
        }
      })(),
    ]);
  };
  const { isDead } = await lives.lived(pointsBefore, end, work);
  const again = await lives.run(lives.open());
  await lives.run(lives.check(again));
  for (const closed of next) {
    await lives.run(lives.seal(again, closed));
    lives.sealed.set(closed.segment, closed);
  }
  await lives.run(lives.check(again));
  await lives.run(lives.collect(again));
  await lives.run(lives.check(again));
  await lives.run(lives.checkCollected(again));
  await lives.run(again.close());
  return isDead;
}

/** Ends it after each number of calls that `step` leads to, until it comes to its own end. */
export async function endEverywhere(seed: number, end: End, step: number): Promise<void> {
  let points = 0;
  for (let isEnded = true; isEnded; points += step) {
    try {
      isEnded = await livedThrough(seed, points, end);
    } catch (error) {
      throw new Error(`seed ${seed}, after ${points} calls: ${(error as Error).message}`, { cause: error });
    }
  }
  assert(points > 90, "it makes many calls");
}
