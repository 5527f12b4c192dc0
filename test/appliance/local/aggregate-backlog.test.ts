/** What is shipped in aggregates while the link is behind, or comes and goes. */
import { expect, test } from "vitest";
import { KiB, MiB } from "#src/core/limits.ts";
import { recordType } from "#src/records/record.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { ShippingWorld } from "./shipping-world.ts";

test("a long backlog is folded by its heads alone", async () => {
  const world = await ShippingWorld.make({ spool: { segmentBytes: 64 * MiB, limitBytes: 512 * MiB } });
  for (let count = 0; count < 200; count++) {
    world
      .write(
        (count % 4) * 256,
        Array.from({ length: 256 }, (_, block) => block + count),
      )
      .commit();
  }
  let readBytes = 0;
  const read = world.spool.readPayload.bind(world.spool);
  world.spool.readPayload = (position, buffer, start, byteLength) => {
    readBytes += byteLength;
    read(position, buffer, start, byteLength);
  };
  world.connect();
  await world.arrive();
  expect(world.remote.events).toEqual(["1..200 as one"]);
  expect([readBytes, world.remote.partCount]).toEqual([4 * MiB, 4]);
});

test("a disk that is slow to read holds up nobody for longer than one read", async () => {
  const world = await ShippingWorld.make({ policy: { everyMs: 10 } });
  for (let block = 0; block < 100; block += 2) world.write(block, [block]).commit();
  let readsSinceTick = 0;
  let readsMax = 0;
  const read = world.spool.readPayload.bind(world.spool);
  world.spool.readPayload = (position, buffer, start, byteLength) => {
    world.simulation.clock.elapse(5);
    readsMax = Math.max(readsMax, ++readsSinceTick);
    read(position, buffer, start, byteLength);
  };
  const tick = (): void => {
    readsSinceTick = 0;
    world.host.clock.timer(1, tick);
  };
  tick();
  world.connect();
  await world.arrive();
  expect(world.remote.events).toEqual(["1..50 as one"]);
  expect(readsMax).toBe(1);
});

test("nothing is left out or doubled, whenever the link goes and however little it takes", async () => {
  const random = new SeededRandom(3);
  for (let seed = 1; seed <= 12; seed++) {
    const world = await ShippingWorld.make({
      seed,
      mode: random.pick(["async", "aggregated"]),
      policy: { everyMs: random.pick([5, 50]), bytesMax: random.pick([64 * KiB, 4 * MiB]) },
      spool: { segmentBytes: 2 * MiB, limitBytes: 1024 * MiB },
    });
    world.remote.isGenerous = random.chance(0.5);
    if (!world.remote.isGenerous) world.remote.creditBytes = 0;
    for (let step = 0; step < 150; step++) await randomStep(world, random);
    if (!world.remote.isUp) world.connect();
    world.remote.isGenerous = true;
    world.remote.holdsMemory = false;
    world.remote.creditBytes = 64 * MiB;
    world.remote.drain();
    await world.arrive();
  }
});

async function randomStep(world: ShippingWorld, random: SeededRandom): Promise<void> {
  const { remote } = world;
  const what = random.integerBelow(20);
  if (what < 10) randomBatch(world, random);
  else if (what < 11) world.switchTo(random.pick(["async", "aggregated", "sync"]));
  else if (what < 12) world.note(random.pick([recordType.mark, recordType.clock])).commit();
  else if (what < 13) remote.isUp ? world.cut() : world.connect();
  else if (what < 14) remote.holdsMemory = random.chance(0.5);
  else if (what < 15) remote.drain();
  else if (what < 17 && !remote.isGenerous) remote.credit(random.pick([512, 100 * KiB, 2 * MiB]));
  else if (what < 18) world.shipping.letGo();
  else await world.pass(random.pick([0, 1, 10, 100]));
}

function randomBatch(world: ShippingWorld, random: SeededRandom): void {
  const count = random.between(1, 6);
  for (let index = 0; index < count; index++) {
    const volume = random.between(1, 2);
    const block = random.integerBelow(40);
    const length = random.pick([1, 1, 3, 60]);
    if (!world.hasRoomFor(length)) break;
    if (random.chance(0.8)) {
      world.write(
        block,
        Array.from({ length }, () => random.integerBelow(1e6)),
        volume,
      );
    } else if (random.chance(0.7)) {
      world.clear(random.pick([recordType.trim, recordType.zero]), block, length, volume);
    } else {
      world.note(recordType.flush);
    }
  }
  world.commit();
}
