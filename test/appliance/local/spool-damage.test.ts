import { expect, test } from "vitest";
import { StopError } from "#src/core/errors.ts";
import { SpoolWorld } from "./spool-world.ts";

/** A log over several files, with batches of all kinds; `syncedCount` of its parts are promised. */
async function written(seed: number, partCount: number, syncedCount: number): Promise<SpoolWorld> {
  const world = new SpoolWorld(seed);
  await world.open();
  for (let part = 0; part < partCount; part++) {
    world.appendSome(4);
    if (part < syncedCount) await world.sync();
  }
  return world;
}

/** What all files hold, to see that nothing was changed. */
function contents(world: SpoolWorld): Buffer {
  return Buffer.concat(
    world.paths.map((path) => {
      const handle = world.host.files.open(path, "read");
      const bytes = Buffer.alloc(handle.sizeBytesNow());
      handle.readNow(bytes, 0, bytes.length, 0);
      handle.close();
      return bytes;
    }),
  );
}

function flip(world: SpoolWorld, path: string, offset: number, bit: number): void {
  world.host.disk.fileAt(path).flipBit(offset, bit);
}

/** A place within the log, its files' headers included. */
function somewhere(world: SpoolWorld): { readonly path: string; readonly offset: number } {
  const path = world.random.pick(world.paths);
  return { path, offset: world.random.integerBelow(world.host.disk.fileAt(path).current.sizeBytes) };
}

type Outcome = { readonly error: Error } | { readonly lastSeq: number };

async function reopened(world: SpoolWorld, knownDurableSeq: number): Promise<Outcome> {
  try {
    const spool = await world.open({ knownDurableSeq });
    return { lastSeq: spool.lastSeq };
  } catch (error) {
    return { error: error as Error };
  }
}

test("faults 12 and 18: one flipped bit in what is known to be durable stops the spool, or is in bytes without meaning", async () => {
  let stoppedCount = 0;
  for (let seed = 0; seed < 250; seed++) {
    const world = await written(seed, 3, 3);
    const { lastSeq } = world.spool;
    world.host.kill();
    const { path, offset } = somewhere(world);
    flip(world, path, offset, world.random.integerBelow(8));
    const before = contents(world);
    const outcome = await reopened(world, lastSeq);
    if ("error" in outcome) {
      stoppedCount++;
      expect(outcome.error.name).toMatch(/StopError|RefuseError/);
      expect(contents(world).equals(before)).toBe(true);
    } else {
      expect(await world.read()).toHaveLength(lastSeq);
    }
  }
  expect(stoppedCount).toBeGreaterThan(90);
});

test("without anybody's help, the log's own word is enough for all but its newest part", async () => {
  let stoppedCount = 0;
  let tailCount = 0;
  for (let seed = 0; seed < 250; seed++) {
    const world = await written(seed, 4, 3);
    const { promisedSeq } = world;
    world.host.kill();
    const { path, offset } = somewhere(world);
    flip(world, path, offset, world.random.integerBelow(8));
    const outcome = await reopened(world, 0);
    if ("error" in outcome) {
      stoppedCount++;
      continue;
    }
    expect(outcome.lastSeq).toBeGreaterThanOrEqual(promisedSeq);
    const held = await world.read();
    expect(held).toHaveLength(outcome.lastSeq);
    if (world.spool.droppedRecordCount > 0) tailCount++;
  }
  expect(stoppedCount).toBeGreaterThan(60);
  expect(tailCount).toBeGreaterThan(10);
});

test("damage is told with its file, its place, the record that is missing, and how that is known", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 9; count++) world.append();
  await world.sync();
  world.append();
  const { path, offset } = world.placeOf(world.spool.positionAfter(4));
  world.host.kill();
  flip(world, path, offset + 1000, 3);
  await expect(world.open()).rejects.toThrow(
    `the spool is damaged: ${path}, byte ${offset}, where record 5 would begin: the content of a batch does not match ` +
      "its checksums; the log itself says that it was durable up to record 9. Nothing was changed",
  );
});

test("fault 18: a flipped bit in the header of any file is in the way of nobody", async () => {
  for (const bit of [0, 33, 100, 300, 400, 480, 520, 1000]) {
    const world = await written(1, 20, 20);
    const { lastSeq } = world.spool;
    world.release(lastSeq - 8);
    const seqs = await world.read();
    world.host.kill();
    for (const path of world.paths) flip(world, path, bit >> 3, bit & 7);
    expect(await reopened(world, lastSeq), `bit ${bit}`).toEqual({ lastSeq });
    expect(await world.read()).toEqual(seqs);
  }
});

test("fault 12: a file that is missing is damage, wherever it was", async () => {
  for (const index of [0, 1, 2]) {
    const world = new SpoolWorld();
    await world.open();
    for (let count = 0; count < 20; count++) world.append();
    await world.sync();
    world.host.kill();
    world.host.files.remove(world.paths[index] as string);
    await expect(world.open({ knownDurableSeq: 20 })).rejects.toThrow(StopError);
  }
});

test("fault 12: what the disk cannot read is no end of the log", async () => {
  const world = await written(1, 2, 1);
  const { path, offset } = world.placeOf(world.spool.positionAfter(world.spool.lastSeq - 1));
  world.host.kill();
  world.host.disk.fileAt(path).damage(offset, 512);
  const before = world.paths.length;
  const outcome = await reopened(world, 0);
  expect("error" in outcome && outcome.error).toBeInstanceOf(StopError);
  expect("error" in outcome && outcome.error.message).toContain("the disk cannot read it");
  expect("error" in outcome && (outcome.error.cause as NodeJS.ErrnoException).code).toBe("EIO");
  expect(world.paths.length).toBe(before);
});

test("fault 19: a stale batch with sound checksums in another place is not taken for the one that was there", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 6; count++) world.append();
  await world.sync();
  const from = world.placeOf(world.spool.positionAfter(1));
  const to = world.placeOf(world.spool.positionAfter(3));
  const handle = world.host.files.open(from.path, "readWrite");
  const bytes = Buffer.alloc(9 * 512);
  handle.readNow(bytes, 0, bytes.length, from.offset);
  handle.writeNow(bytes, 0, bytes.length, to.offset);
  world.host.kill();
  await expect(world.open({ knownDurableSeq: 6 })).rejects.toThrow("where record 4 would begin");
});

test("fault 18: damage that comes while the spool is in use fails the scan and names what is lost", async () => {
  const world = new SpoolWorld();
  await world.open();
  for (let count = 0; count < 6; count++) world.append([1, 1]);
  const { path, offset } = world.placeOf(world.spool.positionAfter(6));
  flip(world, path, offset + 5000, 0);
  await expect(world.read()).rejects.toThrow(
    `${path}, byte ${offset}: the records 7 to 8 do not match their checksums`,
  );
  flip(world, path, offset + 33, 0);
  const buffer = Buffer.alloc(64 * 1024);
  expect(() => world.spool.read(world.spool.positionAfter(6), buffer)).toThrow("no header of a batch of this place");
});

test("fault 12: what only a dropped batch said to be durable is told before it goes, and not dropped later", async () => {
  const world = new SpoolWorld();
  await world.open();
  world.append();
  world.append();
  await world.sync();
  world.append();
  const places = [1, 2].map((seq) => world.placeOf(world.spool.positionAfter(seq)));
  const [second, third] = places as [(typeof places)[0], (typeof places)[0]];
  world.host.kill();
  flip(world, third.path, third.offset + 1000, 3);
  const told: number[] = [];
  const dropping = (claimedSeq: number): Promise<void> => {
    told.push(claimedSeq);
    return Promise.resolve();
  };
  expect((await world.open({ dropping })).lastSeq).toBe(2);
  expect(told).toEqual([2]);
  world.host.kill();
  flip(world, second.path, second.offset + 1000, 3);
  await expect(world.open({ knownDurableSeq: told[0] as number })).rejects.toThrow("the spool is damaged");
});
