/** A scrub while the disk does not give some of a sound object: a cable, a path or an enclosure that comes back. */
import { expect, test } from "vitest";
import { StopError } from "#src/core/errors.ts";
import { addressOf } from "#src/records/address.ts";
import type { SecondCopies } from "#src/store/second-copies.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { frameAt, slotEntryBytes } from "#src/store/slot-page.ts";
import { blockOf, ScrubWorld, unreadableSlots } from "./scrub-world.ts";

const first = { segment: 1, generation: 0 };
const name = segmentObjectName(first);
const later = "the disk does not give all of it now: it is tried again in the next round";

/** The frame that keeps the slot is not given. Answers where it begins. */
async function failFrame(world: ScrubWorld, slot: number): Promise<number> {
  const { store } = await world.opened();
  const page = await (await store.segments.directoryApart(first)).slots(0);
  const { offset } = frameAt(page, slot * slotEntryBytes);
  world.store.failures.set(name, { at: offset + 40, error: () => new StopError("EIO (simulated)") });
  return offset;
}

/** Of these slots of the first segment, whose contents are the slots' numbers and one. */
function copiesOf(...slots: readonly number[]): SecondCopies {
  return {
    read: async ({ address }, target) => {
      const slot = slots.find((one) => addressOf(1, one) === address);
      return slot !== undefined && blockOf(slot + 1).copy(target) > 0;
    },
  };
}

test.each([false, true])(
  "fault 18: a copy of one block costs none of the others that the disk does not give just now (encrypted: %s)",
  async (isEncrypted) => {
    const world = await ScrubWorld.make(isEncrypted);
    const before = Buffer.from(world.store.bytes.get(name) as Buffer);
    await failFrame(world, 0);
    const sick = await world.scrubbed({ copies: copiesOf(1) });
    expect(sick.state.repairedCount).toBe(0);
    expect(sick.state.findings[0]).toMatchObject({ object: name, thing: "frames", obstacle: later });
    expect(world.store.bytes.get(name)?.equals(before)).toBe(true);
    world.store.failures.clear();
    expect((await world.scrubbed()).state.findings).toEqual([]);
    expect(await unreadableSlots(await world.read())).toEqual(new Set());
    expect(world.store.bytes.get(name)?.equals(before)).toBe(true);
  },
);

test("fault 18: what the disk never gives again is repaired where all of it has a copy", async () => {
  const world = await ScrubWorld.make(false);
  await failFrame(world, 0);
  const scrub = await world.scrubbed({ copies: copiesOf(0, 1, 2, 3) });
  expect(scrub.state).toMatchObject({ repairedCount: 1, findings: [] });
  expect(await unreadableSlots(await world.read())).toEqual(new Set());
});

test("fault 18: damage beside it waits until the disk gives all, and is repaired then", async () => {
  const world = await ScrubWorld.make(false);
  const spoiledAt = await failFrame(world, 4);
  for (const bit of [5, 77]) world.store.flip(name, (spoiledAt + 32) * 8 + bit);
  await failFrame(world, 0);
  const copies = copiesOf(4, 5);
  expect((await world.scrubbed({ copies })).state.repairedCount).toBe(0);
  world.store.failures.clear();
  expect((await world.scrubbed({ copies })).state).toMatchObject({ repairedCount: 1, findings: [] });
  expect(await unreadableSlots(await world.read())).toEqual(new Set());
});

test("fault 18: a turned bit beside it is turned back when the disk gives all again", async () => {
  const world = await ScrubWorld.make(false);
  const before = Buffer.from(world.store.bytes.get(name) as Buffer);
  world.store.flip(name, ((await failFrame(world, 4)) + 32) * 8 + 5);
  const spoiled = Buffer.from(world.store.bytes.get(name) as Buffer);
  await failFrame(world, 0);
  await world.scrubbed();
  expect(world.store.bytes.get(name)?.equals(spoiled)).toBe(true);
  world.store.failures.clear();
  expect((await world.scrubbed()).state).toMatchObject({ repairedCount: 1, findings: [] });
  expect(world.store.bytes.get(name)?.equals(before)).toBe(true);
});

test("fault 18: whenever the disk gives it again while it is repaired, nothing is lost", async () => {
  const whole = await ScrubWorld.make(false);
  for (let readCount = 0; readCount < 20; readCount++) await repairDuring(whole.copy(), readCount);
});

/** The disk gives all again after it was asked so often. */
async function repairDuring(world: ScrubWorld, readCount: number): Promise<void> {
  await failFrame(world, 0);
  const { read } = world.store;
  let wantsLeft = Number.POSITIVE_INFINITY;
  world.store.read = async (object, target, position) => {
    if (wantsLeft-- <= 0) world.store.failures.clear();
    return await read.call(world.store, object, target, position);
  };
  const one = copiesOf(1);
  // From then on the check has found it, and repair is under way.
  const copies: SecondCopies = {
    read: async (lost, target) => {
      if (wantsLeft === Number.POSITIVE_INFINITY) wantsLeft = readCount;
      return await one.read(lost, target);
    },
  };
  await world.scrubbed({ copies });
  world.store.failures.clear();
  expect((await world.scrubbed()).state.findings, `after ${readCount} reads`).toEqual([]);
  expect(await unreadableSlots(await world.read()), `after ${readCount} reads`).toEqual(new Set());
}
