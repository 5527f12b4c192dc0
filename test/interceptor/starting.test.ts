/** What a volume does before its export opens. */
import { describe, expect, test } from "vitest";
import { ReconnectError } from "#src/core/errors.ts";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { openVolume } from "#src/interceptor/intercepted-volume.ts";
import { copyBytesOf } from "#src/interceptor/region-map-format.ts";
import { recordType } from "#src/records/record.ts";
import { ReluctantSource } from "./reluctant-source.ts";
import type { JournalRecord } from "./scripted-link.ts";
import { filled, VolumeWorld } from "./volume-world.ts";

const sizeBytes = 40 * MiB;

function record(ordinal: number, startBlock: number, value: number, blockCount = 1): JournalRecord {
  return { ordinal, type: recordType.write, startBlock, blockCount, payload: filled(blockCount * blockBytes, value) };
}

function range(ordinal: number, type: number, startBlock: number, blockCount: number): JournalRecord {
  return { ordinal, type, startBlock, blockCount, payload: Buffer.alloc(0) };
}

function worldWith(journal: readonly JournalRecord[], size = sizeBytes): VolumeWorld {
  const world = new VolumeWorld({ sizeBytes: size, isSparse: true });
  world.links.journal.push(...journal);
  return world;
}

/** A volume that was there before, and whose appliance has these records of it. */
async function knownWith(journal: readonly JournalRecord[], size = sizeBytes): Promise<VolumeWorld> {
  const world = worldWith([], size);
  await world.open();
  await world.stop();
  world.links.durableOrdinals.length = 0;
  world.links.reported.length = 0;
  world.links.journal.push(...journal);
  return world;
}

/** Until what is in doubt was journaled anew. */
async function resynced(world: VolumeWorld): Promise<void> {
  while (world.volume.status().copy !== undefined) await world.pass(10);
  await world.pass(50);
}

describe("redo", () => {
  test("brings the source to where the journal is, in the order of the records", async () => {
    const world = await knownWith([
      record(1, 0, 1, 3),
      range(2, recordType.trim, 1, 1),
      record(3, 2, 3),
      range(4, recordType.zero, 4, 2),
      record(5, 0, 5),
      record(6, 0, 6),
    ]);
    await world.open();
    expect(world.source.equals(world.links.replay(world.initial))).toBe(true);
    expect([world.source[0], world.source[blockBytes], world.source[2 * blockBytes]]).toEqual([6, 0, 3]);
  });

  test("is durable in the source, and noted, before the export opens", async () => {
    const world = await knownWith([record(1, 0, 1)]);
    await world.open();
    const source = world.host.disk.fileAt("/source");
    expect(source.settledCount).toBe(source.changeCount);
    expect([world.links.reported, world.volume.status().durableOrdinal]).toEqual([[1], 1]);
    await world.stop();
    await world.open();
    expect(world.links.durableOrdinals).toEqual([0, 1]);
  });

  test("of a volume's last, shorter block writes what the volume has of it", async () => {
    const world = await knownWith([record(1, 256, 9)], MiB + 700);
    await world.open();
    expect(world.source.subarray(MiB).equals(filled(700, 9))).toBe(true);
  });

  test.each([
    ["a record that is no change", range(1, recordType.mark, 0, 1), /no change/],
    ["a record beyond the volume", record(1, sizeBytes / blockBytes, 1), /beyond the volume/],
    ["an ordinal that the source has", record(0, 0, 2), /record 0 after record 0/],
  ])("of %s stops the start", async (_what, bad, message) => {
    const world = await knownWith([]);
    world.links.attaching = (receiver) => receiver.redo({ ...bad, buffer: bad.payload, payloadAt: 0 });
    await expect(world.open()).rejects.toThrow(message);
    expect(world.links.current).toBeUndefined();
  });

  test("that the source fails is a start that fails, and can be tried again", async () => {
    const world = await knownWith([record(1, 0, 1)]);
    world.links.attaching = () => {
      world.host.disk.failNext("write");
      return Promise.resolve();
    };
    await expect(world.open()).rejects.toThrow("ordered for the next write");
    expect(world.links.current).toBeUndefined();
    world.links.attaching = () => Promise.resolve();
    await world.open();
    expect(world.source[0]).toBe(1);
  });
});

test("while the appliance is not there a volume does not open", async () => {
  const world = worldWith([]);
  world.links.attachErrors.push(new ReconnectError("nobody there"));
  await expect(world.open()).rejects.toThrow("nobody there");
  await world.open();
});

test("a source of another size is refused", async () => {
  const world = worldWith([]);
  const parts = { ...world.parts, identity: { ...world.parts.identity, sizeBytes: sizeBytes - blockBytes } };
  const { openVolume } = await import("#src/interceptor/intercepted-volume.ts");
  await expect(world.run(openVolume(parts))).rejects.toThrow("has 41943040 bytes, and the volume 41938944");
});

describe("what the map and the appliance know of each other", () => {
  test("an appliance that has less than the source has durably, without a loss of power: all is journaled anew", async () => {
    const world = worldWith([]);
    await world.open();
    for (let block = 0; block < 3; block++) world.write(block * blockBytes, filled(blockBytes, 5));
    await world.pass(20);
    await world.stop();
    world.links.journal.length = 1;
    await world.open();
    expect(world.volume.status()).toMatchObject({ markedRegions: 40, durableOrdinal: 1 });
    await resynced(world);
    expect(world.source.equals(world.links.replay(Buffer.alloc(sizeBytes)))).toBe(true);
  });

  test.each([false, true])(
    "an appliance that was made anew (that it lost its power: %s): so as well",
    async (inDoubt) => {
      const world = worldWith([]);
      await world.open();
      world.write(0, filled(blockBytes, 5));
      await world.pass(20);
      await world.stop();
      world.links.journal.length = 0;
      world.links.inDoubt = inDoubt;
      await world.open();
      expect(world.volume.status()).toMatchObject({ markedRegions: 40, durableOrdinal: 0 });
      await resynced(world);
      expect(world.source.equals(world.links.replay(Buffer.alloc(sizeBytes)))).toBe(true);
    },
  );

  test("ordinals that are used again are redone, although the map once had higher ones", async () => {
    const world = worldWith([]);
    await world.open();
    for (let block = 0; block < 3; block++) world.write(block * blockBytes, filled(blockBytes, 5));
    await world.pass(20);
    await world.stop();
    world.links.cutPower(3);
    world.links.journal.length = 1;
    await world.open();
    world.write(0, filled(blockBytes, 9));
    await world.pass(20);
    // The source loses it, the spool does not.
    world.links.durableCount = world.links.journal.length;
    world.cutPower();
    await world.open();
    expect(world.links.durableOrdinals.at(-1)).toBe(1);
    expect(world.source[0]).toBe(9);
  });

  test("a map that was lost: all is journaled anew", async () => {
    const world = worldWith([record(1, 0, 1)]);
    await world.open();
    expect(world.volume.status()).toMatchObject({ markedRegions: 40, copy: { regionsTotal: 40 } });
    await resynced(world);
    expect(world.links.shape.filter((line) => line.startsWith("1 ") || line.startsWith("2 ")).length).toBe(41);
  });

  test("a map that was lost with the power, with all that the appliance had: all is journaled anew", async () => {
    const world = worldWith([]);
    world.links.inDoubt = true;
    await world.open();
    expect(world.volume.status()).toMatchObject({ markedRegions: 40, copy: { regionsTotal: 40 } });
  });

  test("a map of which one copy is damaged: all is journaled anew", async () => {
    const world = worldWith([]);
    await world.open();
    await world.stop();
    world.host.disk.fileAt("/volume/regions").flipBit(copyBytesOf(sizeBytes) + 200, 1);
    await world.open();
    expect(world.volume.status()).toMatchObject({ markedRegions: 40, copy: { regionsTotal: 40 } });
  });

  test("a new volume at an appliance that knows nothing of it needs no resync", async () => {
    const world = worldWith([]);
    await world.open();
    expect(world.volume.status()).toMatchObject({ state: "open", markedRegions: 0, durableOrdinal: 0 });
    expect(world.volume.status().copy).toBeUndefined();
  });
});

describe("fault 9: killed while records were redone", () => {
  function blockOf(world: VolumeWorld, block: number): number {
    const bytes = Buffer.alloc(1);
    world.host.disk.fileAt("/source").current.read(bytes, 0, 1, block * blockBytes);
    return bytes[0] as number;
  }

  /** Two records over one block, of which the source has been given the older one again. */
  async function halfRedone(): Promise<VolumeWorld> {
    const world = await knownWith([record(1, 5, 1), record(2, 5, 2)]);
    const held: (() => void)[] = [];
    world.wrap = (source) => Object.assign(new ReluctantSource(source, () => false), { heldWrites: held });
    openVolume(world.parts).catch(() => {});
    await world.pass(100);
    for (const write of held.splice(0)) write();
    await world.pass(100);
    expect([held.length, blockOf(world, 5)]).toEqual([1, 1]);
    world.wrap = (source) => source;
    world.kill();
    return world;
  }

  test("the next start redoes all of them, and one after that is like any other", async () => {
    const world = await halfRedone();
    await world.open();
    expect(blockOf(world, 5)).toBe(2);
    world.kill();
    world.links.journal = [];
    await expect(world.open()).resolves.toBeDefined();
  });

  test("a source that nobody can bring up to date any more is refused, unless it is to be taken as it is", async () => {
    const world = await halfRedone();
    world.links.journal = [];
    await expect(world.open()).rejects.toThrow("has older data over newer");
    await expect(world.open()).rejects.toThrow("tidemark volume resync disk");
    await world.run(openVolume({ ...world.parts, takesSource: true }));
  });
});
