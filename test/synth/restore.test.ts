import { expect, test } from "vitest";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { restoreHoleBytesMin } from "#src/core/restore-limits.ts";
import { PlainTarget, RestoreWorld } from "./restore-world.ts";

const sizeBytes = 20 * MiB + 3 * blockBytes + 512;

test("a target has every byte of the point afterwards, whatever it held before", async () => {
  for (const seed of [1, 2, 3]) {
    const world = new RestoreWorld(seed, sizeBytes, 0xaa);
    const { figures, findings } = await world.restore();
    expect(findings).toEqual([]);
    expect(world.target.content.equals(world.image.content)).toBe(true);
    expect(figures.writtenBytes + figures.zeroBytes).toBe(sizeBytes);
    expect(figures.verifiedBytes).toBe(sizeBytes);
    expect(world.target.syncs).toBeGreaterThan(0);
  }
});

test("long rows of zeros are not written to a target that was made for it", async () => {
  const world = new RestoreWorld(4, sizeBytes);
  const { figures } = await world.restore({ isClear: true });
  expect(world.target.content.equals(world.image.content)).toBe(true);
  let zeroBytes = 0;
  for (let at = 0; at < sizeBytes; at += restoreHoleBytesMin) {
    if (world.image.content.subarray(at, at + restoreHoleBytesMin).every((byte) => byte === 0))
      zeroBytes += restoreHoleBytesMin;
  }
  expect(zeroBytes).toBeGreaterThan(MiB);
  expect(world.target.writtenBytes).toBeLessThanOrEqual(sizeBytes - zeroBytes);
  expect(figures.writtenBytes).toBe(world.target.writtenBytes);
});

test("what was killed goes on where it was, and copies nothing that is there", async () => {
  const world = new RestoreWorld(5, sizeBytes, 0x11);
  world.target.bytesLeft = 3 * MiB;
  await expect(world.restore()).rejects.toThrow("killed");
  world.target.bytesLeft = Number.POSITIVE_INFINITY;
  const before = world.target.writtenBytes;
  world.image.readBlocks = 0;
  const { figures } = await world.restore();
  expect(world.target.content.equals(world.image.content)).toBe(true);
  expect(figures.keptBytes).toBeGreaterThan(MiB);
  expect(world.image.readBlocks * blockBytes).toBeLessThanOrEqual(sizeBytes - figures.keptBytes + 4 * MiB);
  // What was under way when it was killed is written again, by each of the readers.
  const dataBytes = (await new RestoreWorld(5, sizeBytes, 0x11).restore()).figures.writtenBytes;
  expect(world.target.writtenBytes - before).toBeLessThan(dataBytes);
  expect(world.target.writtenBytes).toBeLessThanOrEqual(dataBytes + 4 * MiB);
});

test("what is not as it was left in the target meanwhile is copied again", async () => {
  const world = new RestoreWorld(6, sizeBytes);
  world.target.bytesLeft = 6 * MiB;
  await expect(world.restore()).rejects.toThrow("killed");
  // Another file lies there now, or the disk has lost what was never synced.
  world.target = new PlainTarget(sizeBytes, 0x55);
  const { figures, findings } = await world.restore();
  expect(findings).toEqual([]);
  expect(figures.keptBytes).toBe(0);
  expect(world.target.content.equals(world.image.content)).toBe(true);
});

test("the notes of another restore are none of this one", async () => {
  const world = new RestoreWorld(7, sizeBytes);
  await world.restore();
  const other = world.sums(Buffer.alloc(32, 8));
  expect(other.isDone(0)).toBe(false);
  other.close();
});

test("what the target does not give back as it was written is written again", async () => {
  const world = new RestoreWorld(8, sizeBytes, 0x22);
  const firstData = world.image.content.findIndex((byte) => byte !== 0);
  world.target.losesAt = firstData;
  const { findings } = await world.restore();
  expect(findings).toEqual([]);
  expect(world.target.content.equals(world.image.content)).toBe(true);
});

test("blocks that cannot be read are told, and become zeros, and all others are restored", async () => {
  const world = new RestoreWorld(9, sizeBytes, 0x33);
  const block = Math.floor(world.image.content.findIndex((byte) => byte !== 0) / blockBytes);
  world.image.damaged.add(block);
  const { figures, findings } = await world.restore();
  const [start, end] = [block * blockBytes, (block + 1) * blockBytes];
  expect(findings).toEqual([`bytes ${start} to ${end - 1} cannot be read, the store is damaged there`]);
  expect(figures.damagedBytes).toBe(blockBytes);
  const wanted = Buffer.from(world.image.content).fill(0, start, end);
  expect(world.target.content.equals(wanted)).toBe(true);
});

test("what cannot be read is told by whoever goes on too, and restored when it can be read again", async () => {
  const world = new RestoreWorld(9, sizeBytes, 0x33);
  const block = Math.floor(world.image.content.findIndex((byte) => byte !== 0) / blockBytes);
  world.image.damaged.add(block);
  const [start, end] = [block * blockBytes, (block + 1) * blockBytes];
  world.target.bytesLeft = 4 * MiB;
  await expect(world.restore()).rejects.toThrow("killed");
  world.target.bytesLeft = Number.POSITIVE_INFINITY;
  for (const _ of ["goes on", "is begun again at its end"]) {
    const { figures, findings } = await world.restore();
    expect(findings).toEqual([`bytes ${start} to ${end - 1} cannot be read, the store is damaged there`]);
    expect(figures).toMatchObject({ damagedBytes: blockBytes, verifiedBytes: sizeBytes });
  }
  world.image.damaged.clear();
  expect((await world.restore()).findings).toEqual([]);
  expect(world.target.content.equals(world.image.content)).toBe(true);
});

test("damage is told once, also where its stretch had to be written again", async () => {
  const world = new RestoreWorld(9, sizeBytes, 0x33);
  const firstData = world.image.content.findIndex((byte) => byte !== 0);
  const block = Math.floor(firstData / blockBytes);
  world.image.damaged.add(block);
  world.target.losesAt = (block + 1) * blockBytes;
  const { figures, findings } = await world.restore();
  expect(findings).toHaveLength(1);
  expect(figures).toMatchObject({ damagedBytes: blockBytes, verifiedBytes: sizeBytes });
});

const own = { mayOverwrite: false };

/** A target that was blank, with a part of the point in it. `isNoted`: the notes of that are there too. */
async function begun(isNoted: boolean): Promise<RestoreWorld> {
  const world = new RestoreWorld(6, sizeBytes);
  world.target.bytesLeft = 6 * MiB + 700;
  await expect(world.restore({ ...own, isClear: true })).rejects.toThrow("killed");
  if (!isNoted) world.files.remove("/restore/sums");
  world.target.bytesLeft = Number.POSITIVE_INFINITY;
  return world;
}

test("without leave to overwrite a restore goes on with its own target, noted or not, and with a blank one", async () => {
  for (const isNoted of [true, false]) {
    const world = await begun(isNoted);
    const firstData = world.image.content.findIndex((byte) => byte !== 0);
    // A power cut has undone a part of a block.
    if (!isNoted) world.target.content.fill(0, firstData, Math.ceil((firstData + 1) / 512) * 512);
    expect((await world.restore(own)).findings).toEqual([]);
    expect(world.target.content.equals(world.image.content)).toBe(true);
  }
  const replaced = await begun(true);
  replaced.target = new PlainTarget(sizeBytes);
  expect((await replaced.restore(own)).figures.keptBytes).toBeLessThan(sizeBytes);
  expect(replaced.target.content.equals(replaced.image.content)).toBe(true);
});

test("a few blocks that somebody has touched meanwhile do not make its target another one", async () => {
  const world = await begun(true);
  const firstData = world.image.content.findIndex((byte) => byte !== 0);
  world.target.content.fill(0x77, firstData, firstData + blockBytes);
  expect((await world.restore(own)).findings).toEqual([]);
  expect(world.target.content.equals(world.image.content)).toBe(true);
});

test("another target that lies there now is refused as it is, however little it holds", async () => {
  for (const isNoted of [true, false]) {
    for (const position of ["everywhere", 0, sizeBytes - 700] as const) {
      const world = await begun(isNoted);
      world.target = new PlainTarget(sizeBytes, position === "everywhere" ? 0x55 : 0);
      if (position !== "everywhere") world.target.content.write("somebody's", position);
      const before = Buffer.from(world.target.content);
      await expect(world.restore(own)).rejects.toThrow("--overwrite says that it may go");
      expect(world.target.content.equals(before)).toBe(true);
    }
  }
  const world = await begun(true);
  world.target = new PlainTarget(sizeBytes, 0x55);
  await world.restore();
  expect(world.target.content.equals(world.image.content)).toBe(true);
});
