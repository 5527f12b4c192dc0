/** The appliance is gone, and comes back. */
import { describe, expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import { recordType } from "#src/records/record.ts";
import { gone, lose, opened } from "./lost-appliance.ts";
import { firstDifference, RandomHost } from "./random-host.ts";
import { ReluctantSource } from "./reluctant-source.ts";
import { filled, VolumeWorld } from "./volume-world.ts";

const payload = filled(blockBytes, 7);

describe("by the policy stall", () => {
  test("writers and flushes wait, reads go on, and all goes on when it is back", async () => {
    const world = await opened();
    lose(world, 3);
    const write = world.write(0, payload);
    const flush = world.flush();
    const read = world.submit({ command: command.read, length: 512 });
    await world.pass(50);
    expect([write.error, flush.error, read.error]).toEqual([undefined, undefined, 0]);
    expect(world.volume.status()).toMatchObject({ state: "stalled", why: expect.stringContaining("nobody there") });
    await world.pass(5_000);
    expect([write.error, flush.error, world.volume.status().state]).toEqual([0, 0, "open"]);
    expect(world.source.equals(world.links.replay(world.initial))).toBe(true);
  });

  test("what was added and did not arrive is added again with the same ordinals; what arrived is not", async () => {
    const world = await opened();
    const { links } = world;
    links.acknowledgesAtOnce = false;
    const base = links.lastOrdinal;
    const writes = [1, 2, 3, 4].map((value) => world.write(value * blockBytes, filled(blockBytes, value)));
    // The last two were on their way.
    links.journal.length -= 2;
    const former = links.current;
    lose(world, 1);
    await world.pass(1_000);
    expect(links.journal.slice(-4).map((record) => [record.ordinal - base, record.startBlock])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
    links.current?.acknowledge(base + 2);
    expect(writes.map((write) => write.error)).toEqual([0, 0, undefined, undefined]);
    links.current?.acknowledgeAll();
    expect(writes.map((write) => write.error)).toEqual([0, 0, 0, 0]);
    expect([former?.heldCount, links.current?.heldCount]).toEqual([0, 0]);
    expect(world.source.equals(links.replay(world.initial))).toBe(true);
  });

  test("the source is durable up to what it has before the appliance is asked, and nothing else is redone", async () => {
    const world = await opened();
    const { links } = world;
    world.write(0, payload);
    links.acknowledgesAtOnce = false;
    world.write(0, filled(blockBytes, 8));
    const applied = links.lastOrdinal - 1;
    lose(world, 0);
    await world.pass(1_000);
    expect(links.durableOrdinals.at(-1)).toBe(applied);
    const source = world.host.disk.fileAt("/source");
    expect(source.settledCount).toBeGreaterThan(0);
    // The appliance redoes the one that waits: that is as good as its acknowledgement.
    expect(world.source[0]).toBe(8);
  });

  test("lost a second time before there was room to add again, nothing is added twice and all goes on", async () => {
    const world = await opened();
    const { links } = world;
    links.acknowledgesAtOnce = false;
    const write = world.write(0, payload);
    // It was on its way, and arrives neither now nor the next time.
    links.journal.length -= 1;
    links.hasRoom = false;
    lose(world, 0);
    await world.pass(1_000);
    lose(world, 0);
    await world.pass(1_000);
    links.hasRoom = true;
    links.acknowledgesAtOnce = true;
    links.current?.receiver.roomAgain();
    await world.pass(1_000);
    links.current?.acknowledgeAll();
    const later = world.write(0, filled(blockBytes, 9));
    await world.pass(100);
    expect([write.error, later.error]).toEqual([0, 0]);
    expect(world.source.equals(links.replay(world.initial))).toBe(true);
  });

  test("a flush under way is asked for anew", async () => {
    const world = await opened();
    world.links.flushesAtOnce = false;
    world.write(0, payload);
    const flush = world.flush();
    await world.pass(20);
    world.links.flushesAtOnce = true;
    lose(world, 1);
    await world.pass(1_000);
    expect([flush.error, world.links.durableCount]).toEqual([0, world.links.journal.length]);
  });

  test("a refusal while coming back is no last word", async () => {
    const world = await opened();
    world.links.attachErrors = [new RefuseError("the volume has its interceptor already")];
    world.links.lose(gone);
    const write = world.write(0, payload);
    await world.pass(50);
    expect(world.volume.status().why).toContain("has its interceptor already");
    await world.pass(1_000);
    expect(write.error).toBe(0);
  });

  test("an appliance that lost what it had acknowledged: the marked regions are journaled anew, first of all", async () => {
    const world = await opened();
    const { links } = world;
    world.flush();
    await world.pass(20);
    for (let block = 0; block < 4; block++) world.write(block * blockBytes, filled(blockBytes, 50 + block));
    links.acknowledgesAtOnce = false;
    const unacknowledged = world.write(5 * blockBytes, payload);
    const current = links.current;
    links.cutPower(links.durableCount + 1);
    const kept = links.journal.length;
    current?.lose(gone);
    links.acknowledgesAtOnce = true;
    await world.pass(1_000);
    expect(unacknowledged.error).toBe(0);
    expect(links.journal[kept]?.type).toBe(recordType.resyncBegin);
    while (world.volume.status().copy !== undefined) await world.pass(20);
    expect(firstDifference(links.replay(world.initial), world.source)).toBeUndefined();
    expect(links.journal.map((record) => record.ordinal)).toEqual(links.journal.map((_, index) => index + 1));
  });

  test("a stop does not wait for it", async () => {
    const world = await opened();
    lose(world, 100);
    const write = world.write(0, payload);
    await world.pass(20);
    await world.stop();
    expect(write.error).toBe(nbdError.shutdown);
  });

  /** Loses the appliance again and again; each time it may have forgotten so many records that it had acknowledged. */
  async function loseAgainAndAgain(seed: number, forgottenMax: number): Promise<void> {
    const world = new VolumeWorld({ seed, sizeBytes: 3 * MiB });
    const random = world.simulation.random.fork("losses");
    world.wrap = (source) => new ReluctantSource(source, () => random.chance(0.5));
    await world.open();
    const { links } = world;
    const host = new RandomHost(world, random);
    for (let round = 0; round < 60; round++) {
      host.act(3);
      links.acknowledgesAtOnce = random.chance(0.5);
      if (random.chance(0.2)) links.current?.acknowledgeAll();
      if (random.chance(0.15) && links.current !== undefined) {
        // Of what was not acknowledged any part may have arrived.
        const settled = links.journal.filter((record) => record.ordinal <= links.settledOrdinal).length;
        const kept = Math.max(0, settled - random.between(0, forgottenMax));
        links.journal.length = random.between(kept, links.journal.length);
        links.settledOrdinal = Math.min(links.settledOrdinal, links.lastOrdinal);
        lose(world, random.integerBelow(3));
      }
      await world.pass(random.between(0, 200));
    }
    links.acknowledgesAtOnce = true;
    const isAtRest = (): boolean => {
      const { state, copy } = world.volume.status();
      return host.isAnswered && state === "open" && copy === undefined;
    };
    for (let round = 0; round < 100 && !isAtRest(); round++) {
      await world.pass(500);
      links.current?.acknowledgeAll();
    }
    expect(
      host.requests.filter((request) => request.error !== 0),
      `seed ${seed}`,
    ).toEqual([]);
    expect(firstDifference(world.source, host.model), `seed ${seed}: the source`).toBeUndefined();
    expect(firstDifference(links.replay(world.initial), host.model), `seed ${seed}: the journal`).toBeUndefined();
    expect(links.journal.map((record) => record.ordinal)).toEqual(links.journal.map((_, index) => index + 1));
  }

  test("that it is lost again and again loses nothing", async () => {
    for (let seed = 0; seed < 12; seed++) await loseAgainAndAgain(seed, 0);
  });

  test("nor does it when it forgets again and again what it had acknowledged", async () => {
    for (let seed = 0; seed < 12; seed++) await loseAgainAndAgain(seed, 6);
  });
});

test("any other loss fences the volume", async () => {
  const world = await opened();
  world.links.lose(new Error("the spool is broken"));
  const write = world.write(0, payload);
  await world.pass(20);
  expect([write.error, world.volume.status().why]).toEqual([nbdError.io, "the spool is broken"]);
});

describe("by the policy track", () => {
  const options = { whenLost: "track", trackAfterMs: 3_000, copyBytesPerSecond: 1e12 } as const;

  test("the volume goes on after a while, and is journaled anew when the appliance is back", async () => {
    const world = await opened({ options, sizeBytes: 40 * MiB });
    const { links } = world;
    lose(world, 8);
    const write = world.write(30 * MiB, payload);
    await world.pass(2_900);
    expect([write.error, world.volume.status().state]).toEqual([undefined, "stalled"]);
    await world.pass(500);
    expect([write.error, world.volume.status().state, world.source[30 * MiB]]).toEqual([0, "tracking", 7]);
    const flush = world.flush();
    await world.pass(20);
    const source = world.host.disk.fileAt("/source");
    expect([flush.error, source.settledCount]).toEqual([0, source.changeCount]);
    const added = links.journal.length;
    await world.pass(30_000);
    expect(world.volume.status().state).toBe("open");
    expect(links.journal[added]?.type).toBe(recordType.resyncBegin);
    while (world.volume.status().copy !== undefined) await world.pass(20);
    expect(firstDifference(links.replay(world.initial), world.source)).toBeUndefined();
    expect(links.journal.map((record) => record.ordinal)).toEqual(links.journal.map((_, index) => index + 1));
  });

  test("what waited for an acknowledgement is written and answered", async () => {
    const world = await opened({ options });
    world.links.acknowledgesAtOnce = false;
    const write = world.write(0, payload, true);
    lose(world, 1_000);
    await world.pass(5_000);
    expect([write.error, world.source[0]]).toEqual([0, 7]);
  });

  test.each(["kill", "power cut"])(
    "a %s meanwhile loses nothing that was promised, and nothing old is redone",
    async (how) => {
      const world = await opened({ options, sizeBytes: 40 * MiB });
      const { links } = world;
      world.write(0, filled(blockBytes, 1));
      lose(world, 1_000);
      await world.pass(4_000);
      expect(world.volume.status().state).toBe("tracking");
      world.write(0, filled(blockBytes, 2));
      world.write(35 * MiB, filled(blockBytes, 3));
      world.flush();
      await world.pass(50);
      if (how === "kill") world.kill();
      else world.host.cutPower();
      links.attachErrors = [];
      await world.open();
      expect([world.source[0], world.source[35 * MiB]]).toEqual([2, 3]);
      while (world.volume.status().copy !== undefined) await world.pass(20);
      expect(firstDifference(links.replay(world.initial), world.source)).toBeUndefined();
    },
  );

  test("the source is durable before the appliance counts again", async () => {
    const world = new VolumeWorld({ options });
    world.wrap = (source) => new ReluctantSource(source, () => false);
    await world.open();
    lose(world, 8);
    await world.pass(4_000);
    expect(world.volume.status().state).toBe("tracking");
    const source = world.host.disk.fileAt("/source");
    let changes = 0;
    while (world.volume.status().state === "tracking") {
      if (source.settledCount === source.changeCount) world.write(0, payload);
      changes = source.changeCount;
      await world.pass(0.25);
    }
    expect(source.settledCount).toBeGreaterThanOrEqual(changes);
  });

  test("an appliance that comes only to go again leaves the volume as it was: without it, and writing", async () => {
    const world = await opened({ options });
    const { links } = world;
    lose(world, 8);
    await world.pass(4_000);
    expect(world.volume.status().state).toBe("tracking");
    while (links.current === undefined) await world.pass(0.25);
    // Its coming is still being noted.
    expect(world.volume.status().state).toBe("tracking");
    lose(world, 4);
    await world.pass(500);
    const write = world.write(0, payload);
    await world.pass(500);
    expect([write.error, world.volume.status().state]).toEqual([0, "tracking"]);
    while (world.volume.status().state !== "open") await world.pass(100);
    while (world.volume.status().copy !== undefined) await world.pass(20);
    expect(firstDifference(links.replay(world.initial), world.source)).toBeUndefined();
  });

  test("long writes and many at once find memory", async () => {
    const world = await opened({ options, sizeBytes: 40 * MiB });
    world.wrap = (source) => new ReluctantSource(source, () => false);
    lose(world, 1_000);
    await world.pass(4_000);
    const writes = [1, 2, 3].map((value) => world.write(value * 8 * MiB, filled(5 * MiB, value)));
    await world.pass(200);
    expect(writes.map((write) => write.error)).toEqual([0, 0, 0]);
    expect([world.source[8 * MiB], world.source[29 * MiB - 1]]).toEqual([1, 3]);
  });

  test("under a busy host journal and source end the same, however often", async () => {
    for (let seed = 0; seed < 6; seed++) {
      const world = new VolumeWorld({ seed, sizeBytes: 20 * MiB, options: { ...options, trackAfterMs: 300 } });
      const random = world.simulation.random.fork("losses");
      world.wrap = (source) => new ReluctantSource(source, () => random.chance(0.5));
      await world.open();
      const host = new RandomHost(world, random);
      for (let round = 0; round < 80; round++) {
        host.act(3);
        world.links.acknowledgesAtOnce = random.chance(0.7);
        if (random.chance(0.1) && world.links.current !== undefined) lose(world, random.integerBelow(4));
        world.links.current?.acknowledgeAll();
        await world.pass(random.between(0, 300));
      }
      world.links.acknowledgesAtOnce = true;
      for (let round = 0; round < 100; round++) {
        await world.pass(500);
        world.links.current?.acknowledgeAll();
        const { state, copy } = world.volume.status();
        if (host.isAnswered && state === "open" && copy === undefined) break;
      }
      expect(
        host.requests.filter((request) => request.error !== 0),
        `seed ${seed}`,
      ).toEqual([]);
      expect(firstDifference(world.source, host.model), `seed ${seed}: the source`).toBeUndefined();
      expect(
        firstDifference(world.links.replay(world.initial), host.model),
        `seed ${seed}: the journal`,
      ).toBeUndefined();
    }
  });
});

test("what it says to have when it comes back is in its map, in case it is killed then", async () => {
  const world = await VolumeWorld.opened();
  const write = world.write(0, filled(blockBytes, 7));
  await world.pass(20);
  lose(world, 0);
  await world.pass(500);
  expect([write.error, world.links.durableOrdinals.at(-1)]).toEqual([0, 1]);
  world.kill();
  await world.open();
  expect(world.links.durableOrdinals.at(-1)).toBe(1);
});
