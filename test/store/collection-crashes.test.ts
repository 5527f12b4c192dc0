import { expect, test } from "vitest";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { endEverywhere } from "./collection-ends.ts";
import { CollectionLives, type Life } from "./collection-lives.ts";
import { anyFaults } from "./faulty-objects.ts";

for (const end of ["killed", "powerCut"] as const) {
  test(`fault 8: wherever a collection beside sealing ends (${end}), what is needed is read, and the next one goes on`, async () => {
    await endEverywhere(1, end, 3);
  });
}

test("fault 8: over many lives that end anywhere, what is needed stays and what is not goes", async () => {
  for (let seed = 100; seed < 105; seed++) {
    const lives = new CollectionLives(seed);
    const random = new SeededRandom(seed);
    for (let number = 0; number < 5; number++) {
      const work = async (life: Life): Promise<void> => {
        await lives.check(life);
        for (let turn = 0; turn < 3; turn++) {
          const closed = lives.nextSegment(random, 1 + random.integerBelow(30));
          await lives.seal(life, closed);
          if (random.integerBelow(4) > 0) lives.addPoint(random, closed);
          if (random.integerBelow(2) === 0) lives.expireOldest();
          await lives.collect(life);
          await lives.check(life);
        }
      };
      const isEnded = random.integerBelow(3) > 0;
      const pointsBefore = isEnded ? 5 + random.integerBelow(300) : Number.MAX_SAFE_INTEGER;
      await lives.lived(pointsBefore, random.pick(["killed", "powerCut"]), work);
      const again = await lives.run(lives.open());
      // Whoever was sealing does it again.
      for (const [segment, closed] of lives.sealed) {
        if (lives.points.unsettled.has(segment)) await lives.run(lives.seal(again, closed));
      }
      await lives.run(lives.check(again));
      await lives.run(lives.collect(again));
      await lives.run(lives.check(again));
      await lives.run(lives.checkCollected(again));
      await lives.run(again.close());
    }
  }
});

test("who reads in another process reads on over many collections", async () => {
  for (let seed = 300; seed < 306; seed++) {
    const lives = new CollectionLives(seed);
    const random = new SeededRandom(seed);
    const life = await lives.run(lives.open());
    const readers = [await lives.run(lives.openReader())];
    for (let turn = 0; turn < 8; turn++) {
      const closed = lives.nextSegment(random, 1 + random.integerBelow(30));
      await lives.run(lives.seal(life, closed));
      lives.addPoint(random, closed);
      if (lives.points.points.size > 2) lives.expireOldest();
      // Some have been there for long, others only for a while.
      if (turn % 3 === 0) readers.push(await lives.run(lives.openReader()));
      const collecting = lives.collect(life);
      for (const reader of readers) await lives.run(lives.checkRead(reader));
      await lives.run(collecting);
      for (const reader of readers) await lives.run(lives.checkRead(reader));
    }
    await lives.run(lives.checkCollected(life));
    await lives.run(life.close());
  }
});

/** Until it has worked, as whoever asks for it would. A process that has met what it cannot sort out ends, and another one begins. */
async function untilDone(lives: CollectionLives, life: Life, work: (life: Life) => Promise<void>): Promise<Life> {
  let current = life;
  for (let attempt = 0; attempt < 400; attempt++) {
    try {
      await lives.run(work(current));
      return current;
    } catch (error) {
      expect((error as Error).name, (error as Error).stack).toMatch(
        /^(Retry|Stop|AbsentObject|ObjectDamage|Refuse)Error$/,
      );
      if (attempt % 4 < 3) continue;
      await lives.run(current.close());
      current = await opened(lives);
    }
  }
  throw new Error("it never works");
}

async function opened(lives: CollectionLives): Promise<Life> {
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      return await lives.run(lives.open());
    } catch (error) {
      expect((error as Error).name, (error as Error).stack).toMatch(/^(Retry|Stop|ObjectDamage)Error$/);
    }
  }
  throw new Error("it never opens");
}

test("fault 21: whatever a service does while segments are sealed and collected, nothing that is needed is lost", async () => {
  for (let seed = 200; seed < 212; seed++) {
    const lives = new CollectionLives(seed);
    const random = new SeededRandom(seed);
    lives.faults = anyFaults(0.003);
    let life = await opened(lives);
    for (let turn = 0; turn < 8; turn++) {
      const closed = lives.nextSegment(random, 1 + random.integerBelow(30));
      life = await untilDone(lives, life, (current) => lives.seal(current, closed));
      if (random.integerBelow(4) > 0) lives.addPoint(random, closed);
      if (random.integerBelow(2) === 0) lives.expireOldest();
      life = await untilDone(lives, life, (current) => lives.collect(current));
    }
    await lives.run(life.close());
    await lives.simulation.clock.settle();
    lives.faults = undefined;
    life = await opened(lives);
    for (const [segment, closed] of lives.sealed) {
      if (lives.points.unsettled.has(segment)) await lives.run(lives.seal(life, closed));
    }
    await lives.run(lives.check(life));
    await lives.run(lives.collect(life));
    await lives.run(lives.check(life));
    await lives.run(lives.checkCollected(life));
    await lives.run(life.close());
  }
});
