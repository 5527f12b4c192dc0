/** Segments are sealed into a service that fails, and read from it. */
import { expect, test } from "vitest";
import { driven } from "#test/contract/driver.ts";
import { ClosedBlocks, damaged, none, sound } from "./closed-blocks.ts";
import { anyFaults } from "./faulty-objects.ts";
import { MemoryObjects } from "./memory-objects.ts";
import { MemoryStore } from "./memory-store.ts";
import { origin, Segment, SegmentWorld } from "./segment-world.ts";

const calm = { chances: {}, delayMsMax: 0, lateMsMax: 0 };

test("a segment whose object is there though its writer was told otherwise is not sealed again", async () => {
  for (const fault of ["after", "late"] as const) {
    const it = await SegmentWorld.make(1);
    const store = await it.store(it.objects);
    const segment = new Segment(1, it.simulation.random);
    it.objects.order("finish", fault);
    const seal = () => driven(it.driver, store.seal(segment, origin));
    await expect(seal()).rejects.toMatchObject({ name: "RetryError" });
    await it.simulation.clock.settle();
    await seal();
    expect(store.segments.has(1)).toBe(true);
    expect(await it.read(store, segment)).toBe(0);
    const again = new Segment(2, it.simulation.random);
    await driven(it.driver, store.seal({ ...again, segment: 2, read: segment.read.bind(segment) }, origin));
    expect(store.figures.uniqueBytes).toBe(0);
  }
});

test("fault 19: a segment of the same number that is another group's, or shorter, does not pass for the one to be sealed", async () => {
  const it = await SegmentWorld.make(1);
  const segment = new Segment(1, it.simulation.random);
  const first = await it.store(it.inner);
  await driven(it.driver, first.seal(segment, origin));
  const longer = { segment: 1, slotCount: segment.slotCount + 1, read: segment.read.bind(segment) };
  const others = [
    [segment, { ...origin, group: "f".repeat(32) }],
    [longer, origin],
  ] as const;
  for (const store of [first, await it.store(it.inner)]) {
    await driven(it.driver, store.seal(segment, origin));
    for (const [source, whose] of others) {
      await expect(driven(it.driver, store.seal(source, whose))).rejects.toMatchObject({ name: "StopError" });
    }
  }
});

test("fault 19: a segment of the same number with other blocks does not pass for the one to be sealed", async () => {
  const objects = new MemoryObjects();
  const own = new ClosedBlocks(7, [sound(1), none, damaged(2), sound(0), sound(3, 2)]);
  const first = await MemoryStore.open(objects);
  await first.seal(own);
  const others = [
    [0, [sound(11)]],
    [4, [none, none, none, none, sound(3, 1)]],
    [3, [none, none, none, sound(9)]],
    [1, [none, sound(1)]],
  ] as const;
  for (const store of [first, await MemoryStore.open(objects)]) {
    await store.seal(own);
    // Damage, and what a loss of power has taken, says nothing of what was there.
    await store.seal(new ClosedBlocks(7, [sound(1), none, none, damaged(5)]));
    for (const [slot, slots] of others) {
      const words = `another one of the same number: what it has in slot ${slot}`;
      await expect(store.seal(new ClosedBlocks(7, slots))).rejects.toThrow(words);
    }
  }
});

test("fault 21: an answer that is cut or wrong is asked for again, and damage is told all the same", async () => {
  const it = await SegmentWorld.make(1);
  const segment = new Segment(1, it.simulation.random);
  await driven(it.driver, (await it.store(it.inner)).seal(segment, origin));
  for (const fault of ["cut", "wrong"] as const) {
    for (const readsBefore of [0, 1, 2, 3]) {
      const store = await it.store(it.objects);
      for (let count = 0; count < readsBefore; count++) it.objects.order("read", "none");
      it.objects.order("read", fault);
      expect(await it.read(store, segment)).toBe(0);
    }
  }
  const file = it.host.disk.fileAt("/store/segments/000000000001.0000");
  file.flipBit(200, 3);
  expect(await it.read(await it.store(it.objects), segment)).toBeGreaterThan(0);
});

test("fault 21: whatever a service does while segments are sealed, they come to be there, and no read gives wrong bytes", async () => {
  let faultCount = 0;
  let damagedCount = 0;
  for (let seed = 0; seed < 12; seed++) {
    const it = await SegmentWorld.make(seed);
    const store = await it.store(it.objects);
    it.objects.faults = anyFaults(0.03);
    const segments = [1, 2, 3, 4, 5].map((segment) => new Segment(segment, it.simulation.random));
    for (const segment of segments) {
      for (let tries = 0; !store.segments.has(segment.segment); tries++) {
        expect(tries, `seed ${seed}, segment ${segment.segment}`).toBeLessThan(100);
        const failure = await driven(
          it.driver,
          store.seal(segment, origin).catch((error: Error) => error),
        );
        if (failure instanceof Error)
          expect(failure.name, failure.stack).toMatch(/^(RetryError|StopError|ObjectDamageError)$/);
      }
      const outcome = await it.read(store, segment).catch((error: Error) => error);
      if (outcome instanceof Error) expect(outcome.name, outcome.stack).toBe("RetryError");
      // So often wrong that asking again does not help.
      it.objects.faults = { chances: { "read wrong": 0.5 }, delayMsMax: 0, lateMsMax: 0 };
      const doubted = await it.read(store, segment).catch((error: Error) => error);
      if (doubted instanceof Error) expect(doubted.name, doubted.stack).toBe("RefuseError");
      else damagedCount += doubted;
      it.objects.faults = anyFaults(0.03);
    }
    faultCount += it.objects.faultCount;
    it.objects.faults = calm;
    await it.simulation.clock.settle();
    const again = await it.store(it.inner);
    for (const segment of segments) expect(await it.read(again, segment), `seed ${seed}`).toBe(0);
  }
  expect(faultCount).toBeGreaterThan(50);
  expect(damagedCount).toBeGreaterThan(0);
});
