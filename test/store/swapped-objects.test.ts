/** Objects that are whole and lie where others belong, as whoever copies files by hand leaves them. */
import { expect, test } from "vitest";
import { StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { addressOf } from "#src/records/address.ts";
import { decodeObjectFooter, encodeObjectFooter } from "#src/store/object-format.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { rewriteSegment } from "#src/store/segment-rewrite.ts";
import {
  blockOf,
  ContentSegment,
  ScrubWorld,
  scrubGroup,
  unreadableSlots,
  type Written,
} from "#test/journals/scrub-world.ts";
import { FreeWork } from "./free-work.ts";

const name = (segment: number, generation = 0) => segmentObjectName({ segment, generation });
const written = (segment: number, contents: readonly number[]): Written => ({
  ...{ seq: segment, volume: 1, startBlock: 10 * segment, segment, slot: 0, contents },
});

/** Two segments whose objects are as long as each other, which stand alone. */
async function twins(isEncrypted: boolean): Promise<ScrubWorld> {
  const world = await ScrubWorld.make(isEncrypted);
  const { store } = await world.opened();
  for (const one of [written(4, [31, 32]), written(5, [33, 34])]) {
    await store.seal(new ContentSegment(one.segment, [one]), { group: scrubGroup, level: 0 });
  }
  expect(world.store.bytes.get(name(4))?.length).toBe(world.store.bytes.get(name(5))?.length);
  return world;
}

async function readBack(world: ScrubWorld, segment: number, group = scrubGroup): Promise<(Buffer | "damaged")[]> {
  const { reader } = await world.read();
  const target = Buffer.alloc(2 * blockBytes, 0xee);
  const damaged = await reader.read({ address: addressOf(segment, 0), blockCount: 2, volume: 1, group }, target, 0);
  return [0, 1].map((index) =>
    damaged.includes(index) ? "damaged" : target.subarray(index * blockBytes, (index + 1) * blockBytes),
  );
}

test.each([false, true])(
  "fault 19: an object that lies under the name of another of the same length is not read as that (encrypted: %s)",
  async (isEncrypted) => {
    const world = await twins(isEncrypted);
    const [four, five] = [world.store.bytes.get(name(4)) as Buffer, world.store.bytes.get(name(5)) as Buffer];
    world.store.bytes.set(name(4), five);
    expect(await readBack(world, 4)).toEqual(["damaged", "damaged"]);
    expect(await readBack(world, 5)).toEqual([blockOf(33), blockOf(34)]);
    const { findings } = (await world.scrubbed()).state;
    expect(findings).toMatchObject([
      {
        object: name(4),
        thing: "header",
        finding: expect.stringContaining("another object lies there"),
        slots: [{ slot: 0, count: 65_536 }],
      },
    ]);
    world.store.bytes.set(name(4), four);
    expect((await world.scrubbed()).state.findings).toEqual([]);
  },
);

test.each([false, true])(
  "fault 19: an older generation under a newer name is told from that (encrypted: %s)",
  async (isEncrypted) => {
    const world = await twins(isEncrypted);
    const { store: _, ...parts } = await world.opened();
    const change = { isDropped: (slot: number) => slot === 0, ifUnreadable: "refuse" } as const;
    await rewriteSegment(parts, { segment: 4, generation: 0 }, 1, change, new FreeWork());
    world.store.bytes.set(name(4, 1), world.store.bytes.get(name(4)) as Buffer);
    expect(await readBack(world, 4)).toEqual(["damaged", "damaged"]);
    expect((await world.scrubbed()).state.findings).toMatchObject([{ object: name(4, 1), thing: "header" }]);
  },
);

test("fault 19: parts of another object of the same length, at the same place, are told from its own", async () => {
  const world = await twins(false);
  const [four, five] = [world.store.bytes.get(name(4)) as Buffer, world.store.bytes.get(name(5)) as Buffer];
  const sound = Buffer.from(four);
  // All between header and footer.
  five.copy(four, 128, 128, five.length - 128);
  expect(await readBack(world, 4)).toEqual(["damaged", "damaged"]);
  expect((await world.scrubbed()).state.findings).toMatchObject([{ object: name(4), finding: "it belongs elsewhere" }]);
  sound.copy(four);
  expect(await readBack(world, 4)).toEqual([blockOf(31), blockOf(32)]);
});

test("fault 19: a segment of the same number from another group is not read as one's own", async () => {
  const world = await twins(false);
  expect(await readBack(world, 4, "e".repeat(32))).toEqual(["damaged", "damaged"]);
  expect(await readBack(world, 4)).toEqual([blockOf(31), blockOf(32)]);
});

test.each([false, true])(
  "a footer that somebody has changed, with the right checksum, changes nothing that is read, and is found (encrypted: %s)",
  async (isEncrypted) => {
    const world = await ScrubWorld.make(isEncrypted);
    const bytes = world.store.bytes.get(name(1)) as Buffer;
    const footer = decodeObjectFooter(bytes.subarray(-128), name(1));
    // One more is kept, and one less is a forward.
    footer.kindNumbers.writeUInt32LE(footer.kindNumbers.readUInt32LE(4) + 1, 4);
    footer.kindNumbers.writeUInt32LE(footer.kindNumbers.readUInt32LE(8) - 1, 8);
    encodeObjectFooter(footer).copy(bytes, bytes.length - 128);
    expect(await unreadableSlots(await world.read())).toEqual(new Set());
    expect((await world.scrubbed()).state.findings).toMatchObject([
      { object: name(1), thing: "footer", finding: "its numbers are not those of its slots" },
    ]);
  },
);

test("fault 18: what the disk does not give is an error for just that, and is named", async () => {
  const world = await twins(false);
  const error = () => new StopError("the disk does not give it (simulated)");
  world.store.failures.set(name(1), { at: 140, error });
  expect(await unreadableSlots(await world.read())).toEqual(new Set(["1/0", "1/1", "1/2", "1/3", "1/7", "2/1", "3/0"]));
  const { findings } = (await world.scrubbed()).state;
  expect(findings[0]).toMatchObject({
    object: name(1),
    thing: "frames",
    finding: "the disk does not give it",
    slots: [{ slot: 0, count: 4 }],
  });
});
