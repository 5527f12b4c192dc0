import { describe, expect, test } from "vitest";
import { blockBytes, KiB } from "#src/core/limits.ts";
import { viewReopenMs } from "#src/core/view-limits.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import type { RecordedRequest } from "#test/nbd/recorded-request.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { pointContent, ViewWorld } from "./view-world.ts";

/** The last block is not whole. */
const sizeBytes = 96 * blockBytes - 1536;

interface Change {
  readonly command: number;
  readonly offset: number;
  readonly length: number;
  readonly value: number;
}

function randomChange(random: SeededRandom): Change {
  const isAligned = random.chance(0.5);
  const unit = isAligned ? blockBytes : 512;
  const offset = random.integerBelow(Math.floor(sizeBytes / unit)) * unit;
  const length = Math.min(sizeBytes - offset, (1 + random.integerBelow(random.chance(0.2) ? 40 : 4)) * unit);
  const kind = random.pick([command.write, command.write, command.write, command.trim, command.writeZeroes]);
  return { command: kind, offset, length, value: 1 + random.integerBelow(255) };
}

/** A trim counts for whole blocks; the last block is whole where it ends. */
function apply(bytes: Buffer, change: Change): void {
  const { offset, length, value } = change;
  const end = offset + length;
  if (change.command === command.write) bytes.fill(value, offset, end);
  else if (change.command === command.writeZeroes) bytes.fill(0, offset, end);
  else {
    const from = Math.ceil(offset / blockBytes) * blockBytes;
    const to = end === sizeBytes ? end : Math.floor(end / blockBytes) * blockBytes;
    if (from < to) bytes.fill(0, from, to);
  }
}

function askedOf({ command: kind, offset, length, value }: Change, fua = false) {
  if (kind === command.write) return { command: kind, offset, payload: Buffer.alloc(length, value), fua };
  return { command: kind, offset, length, fua };
}

describe("a view that is read", () => {
  test.each([false, true])("gives the point's bytes, of any range; cold: %s", async (isCold) => {
    const world = new ViewWorld(1, sizeBytes);
    const view = await world.open({ isWritable: false });
    world.point.isCold = isCold;
    const content = pointContent(sizeBytes);
    expect(await world.content()).toEqual(content);
    const random = new SeededRandom(3);
    for (let step = 0; step < 50; step++) {
      const offset = random.integerBelow(sizeBytes);
      const length = 1 + random.integerBelow(sizeBytes - offset);
      const { error, data } = await world.ask({ command: command.read, offset, length });
      expect([error, data.equals(content.subarray(offset, offset + length))]).toEqual([0, true]);
    }
    expect([view.sizeBytes, view.features.readOnly]).toEqual([sizeBytes, true]);
  });

  test.each([false, true])("fails for what is damaged, and for that alone; cold: %s", async (isCold) => {
    const world = new ViewWorld(1, sizeBytes);
    await world.open({ isWritable: false });
    world.point.isCold = isCold;
    world.point.damaged.add(7);
    const errors: (number | undefined)[] = [];
    for (const block of [6, 7, 8]) {
      const asked = { command: command.read, offset: block * blockBytes, length: 512 };
      errors.push((await world.ask(asked)).error);
    }
    expect(errors).toEqual([0, nbdError.io, 0]);
    expect((await world.ask({ command: command.read, length: sizeBytes })).error).toBe(nbdError.io);
  });

  test("tells its holes, and what other contexts know", async () => {
    const world = new ViewWorld(1, sizeBytes);
    const dirty = { name: "qemu:dirty-bitmap:x", extents: async () => [{ lengthBytes: sizeBytes, status: 1 }] };
    const view = await world.open({ isWritable: false, contexts: [dirty] });
    expect(view.metaContexts).toEqual(["base:allocation", "qemu:dirty-bitmap:x"]);
    const asked = { command: command.blockStatus, offset: 512, length: 4 * blockBytes, contexts: view.metaContexts };
    expect((await world.ask(asked)).status).toEqual([
      [
        { lengthBytes: blockBytes - 512, status: 3 },
        { lengthBytes: 2 * blockBytes, status: 0 },
        { lengthBytes: blockBytes, status: 3 },
        { lengthBytes: 512, status: 0 },
      ],
      [{ lengthBytes: 4 * blockBytes, status: 1 }],
    ]);
  });

  test("takes no changes", async () => {
    const world = new ViewWorld(1, sizeBytes);
    await world.open({ isWritable: false });
    expect((await world.ask({ command: command.write, payload: Buffer.alloc(512) })).error).toBe(nbdError.notPermitted);
    expect((await world.ask({ command: command.flush })).error).toBe(nbdError.ok);
  });
});

describe("a view that is written", () => {
  test.each([1, 2, 3, 4, 5, 6])("reads as it was written, also after it was opened again (seed %i)", async (seed) => {
    const world = new ViewWorld(seed, sizeBytes);
    await world.open();
    const random = new SeededRandom(seed);
    const content = pointContent(sizeBytes);
    for (let step = 0; step < 120; step++) {
      world.point.isCold = random.chance(0.3);
      const change = randomChange(random);
      expect((await world.ask(askedOf(change, random.chance(0.1)))).error).toBe(0);
      apply(content, change);
      if (random.chance(0.05)) {
        await world.close();
        await world.open();
      }
      if (step % 10 === 0) expect((await world.content()).equals(content)).toBe(true);
    }
    expect((await world.content()).equals(content)).toBe(true);
    expect(world.view.overlay?.isEmpty).toBe(false);
  });

  test("changes of one batch are all made, and in their order where they overlap", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = new ViewWorld(seed, sizeBytes);
      await world.open();
      world.point.isCold = true;
      const random = new SeededRandom(seed);
      const content = pointContent(sizeBytes);
      const requests: RecordedRequest[] = [];
      for (let step = 0; step < 12; step++) {
        const change = randomChange(random);
        requests.push(world.submit(askedOf(change)));
        apply(content, change);
      }
      world.view.endBatch();
      await world.driver.until(() => requests.every(({ error }) => error !== undefined));
      expect(requests.map(({ error }) => error)).toEqual(requests.map(() => 0));
      expect((await world.content()).equals(content)).toBe(true);
    }
  });

  test("after a loss of power has what was flushed, and of the rest whole writes in their order", async () => {
    let droppedCount = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const world = new ViewWorld(seed, sizeBytes);
      await world.open();
      const random = new SeededRandom(seed);
      const states = [pointContent(sizeBytes)];
      let promised = 0;
      const steps = 5 + random.integerBelow(30);
      for (let step = 0; step < steps; step++) {
        const change = randomChange(random);
        // A trim of no whole block does nothing, and has nothing to make durable.
        const isDurable = change.command !== command.trim && random.chance(0.1);
        expect((await world.ask(askedOf(change, isDurable))).error).toBe(0);
        const next = Buffer.from(states.at(-1) as Buffer);
        apply(next, change);
        states.push(next);
        if (isDurable || (random.chance(0.05) && (await world.ask({ command: command.flush })).error === 0)) {
          promised = states.length - 1;
        }
      }
      world.host.cutPower();
      await world.open();
      const found = await world.content();
      const at = states.findLastIndex((state) => state.equals(found));
      expect(at).toBeGreaterThanOrEqual(promised);
      if (at < states.length - 1) droppedCount++;
    }
    expect(droppedCount).toBeGreaterThan(0);
  });

  test("on a full disk says so, keeps what it has, and goes on when there is room", async () => {
    const world = new ViewWorld(1, sizeBytes);
    await world.open();
    const first = { command: command.write, offset: 0, payload: Buffer.alloc(blockBytes, 9) };
    expect((await world.ask(first)).error).toBe(0);
    world.host.disk.failNext("write", "ENOSPC");
    const second = { command: command.write, offset: blockBytes, payload: Buffer.alloc(blockBytes, 8) };
    expect((await world.ask(second)).error).toBe(nbdError.noSpace);
    expect((await world.ask({ command: command.read, length: 1 })).data[0]).toBe(9);
    expect((await world.ask(second)).error).toBe(0);
    world.simulation.clock.advance(viewReopenMs);
    const content = await world.content();
    expect([content[0], content[blockBytes]]).toEqual([9, 8]);
  });

  test("after a sync that failed promises nothing any more", async () => {
    const world = new ViewWorld(1, sizeBytes);
    await world.open();
    await world.ask({ command: command.write, offset: 0, payload: Buffer.alloc(blockBytes, 9) });
    world.host.disk.failNext("sync");
    expect((await world.ask({ command: command.flush })).error).toBe(nbdError.io);
    expect((await world.ask({ command: command.flush })).error).toBe(nbdError.io);
    const again = { command: command.write, offset: 0, payload: Buffer.alloc(blockBytes, 9) };
    expect((await world.ask(again)).error).toBe(nbdError.io);
  });

  test("a part of a damaged block cannot be written, all of it can", async () => {
    const world = new ViewWorld(1, sizeBytes);
    await world.open();
    world.point.damaged.add(1);
    const part = { command: command.write, offset: blockBytes, payload: Buffer.alloc(512, 9) };
    expect((await world.ask(part)).error).toBe(nbdError.io);
    const whole = { command: command.write, offset: blockBytes, payload: Buffer.alloc(4 * KiB, 9) };
    expect((await world.ask(whole)).error).toBe(0);
    expect((await world.ask(part)).error).toBe(0);
    expect((await world.ask({ command: command.read, offset: blockBytes, length: 1 })).data[0]).toBe(9);
  });
});

test("fault 13: a sync that fails when a view is closed is told, and not forgotten before the machine is a new one", async () => {
  const world = new ViewWorld(1, sizeBytes);
  await world.open();
  const write = { command: command.write, offset: 0, payload: Buffer.alloc(blockBytes, 9) };
  await world.ask(write);
  expect(await world.close()).toBeUndefined();
  await world.open();
  await world.ask(write);
  world.host.disk.failNext("sync");
  expect((await world.close())?.message).toContain("a sync of what was written to it has failed");
  for (let count = 0; count < 2; count++) {
    await world.open();
    expect(world.view.overlay?.failure?.message).toContain("a sync of what was written to it has failed");
    expect((await world.ask({ command: command.flush })).error).toBe(nbdError.io);
    expect((await world.ask(write)).error).toBe(nbdError.io);
    expect((await world.ask({ command: command.read, length: 1 })).data[0]).toBe(9);
    expect(await world.close()).toBeDefined();
  }
  world.host.cutPower();
  await world.open();
  expect((await world.ask({ ...write, fua: true })).error).toBe(0);
  expect(await world.close()).toBeUndefined();
});

test("fault 13: a sync that fails when a view is opened is not forgotten either", async () => {
  const world = new ViewWorld(1, sizeBytes);
  await world.open();
  await world.ask({ command: command.write, offset: 0, payload: Buffer.alloc(blockBytes, 9) });
  world.host.kill();
  world.host.disk.failNext("sync");
  await expect(world.open()).rejects.toThrow();
  await world.open();
  expect((await world.ask({ command: command.flush })).error).toBe(nbdError.io);
});
