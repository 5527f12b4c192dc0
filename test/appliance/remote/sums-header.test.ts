/** What damage to the beginning of a file of sums costs those who read, who recover, and who seal. */
import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { readDocument } from "#src/host/document.ts";
import { ClosedSegmentFiles } from "#src/journals/closed-segment.ts";
import { recoverJournals } from "#src/journals/journal-recovery.ts";
import { encodeSumsHeader, sumPosition } from "#src/journals/sums-format.ts";
import { blockState, SlotRun } from "#src/store/slot-run.ts";
import { driven } from "#test/contract/driver.ts";
import { wireBatch } from "#test/journals/wire-batch.ts";
import type { SimFile } from "#test/sim/sim-file.ts";
import { groupA, groupB, type LocalPeer, RemoteWorld } from "./remote-world.ts";

/** Of the header: what is behind them is zeros that nobody reads. */
const spokenBits = 64 * 8;
const versionAt = 4;
const checksumAt = 56;
const segment = 1;
const blockCount = 3;

interface Written {
  readonly world: RemoteWorld;
  readonly peer: LocalPeer;
  readonly sums: SimFile;
}

/** Three records of a block each; none is said to be durable. */
async function written(options: ConstructorParameters<typeof RemoteWorld>[1] = {}, hasStore = false): Promise<Written> {
  const world = new RemoteWorld(1, options, { hasStore });
  await world.start();
  const peer = await world.connect();
  peer.send(wireBatch({ firstSeq: 1 }, [{ startBlock: 1 }, { startBlock: 2, content: 2 }, { startBlock: 3 }]));
  return { world, peer, sums: world.host.disk.fileAt(world.folder().sumsPath(segment)) };
}

function turn(sums: SimFile, bit: number): void {
  sums.flipBit(bit >> 3, bit & 7);
}

function put({ world }: Written, bytes: Buffer): void {
  const handle = world.host.files.open(world.folder().sumsPath(segment), "readWrite");
  handle.writeNow(bytes, 0, bytes.length, 0);
  handle.close();
}

async function lastRecovered({ world }: Written): Promise<number> {
  const { files } = world.host;
  const about = { format: "tidemark-remote-group", version: 1 };
  const state = readDocument(files, `${world.folder().path}/group.json`, about);
  const identity = { group: groupA, incarnation: state?.incarnation as number };
  const parts = { files, folder: world.folder(), identity, checkpointSeq: 0, durableSeq: 0, see: () => {} };
  return (await driven(world.driver, recoverJournals(parts))).lastSeq;
}

function statesToSeal({ world }: Written): number[] {
  const source = new ClosedSegmentFiles({ files: world.host.files, folder: world.folder(), group: groupA, segment });
  const run = new SlotRun();
  source.read(0, source.slotCount, run);
  source.close();
  return [...run.states.subarray(0, source.slotCount)];
}

const allSound = Array(blockCount).fill(blockState.sound);

async function expectWhole(it: Written, what: string): Promise<void> {
  expect(it.world.content(3).length, `${what}: read`).toBe(3);
  expect(await lastRecovered(it), `${what}: recovered`).toBe(3);
  expect(statesToSeal(it), `${what}: sealed`).toEqual(allSound);
}

test("fault 18: no turned bit in the header of sums costs a block, whether it is read, recovered or sealed", async () => {
  const it = await written();
  for (let bit = 0; bit < spokenBits; bit++) {
    turn(it.sums, bit);
    await expectWhole(it, `bit ${bit}`);
    turn(it.sums, bit);
  }
});

test("faults 18 and 19: a header of sums that is lost altogether costs no block, damage beside it what it covers", async () => {
  for (const [what, spoil] of [
    [
      "two bits",
      ({ sums }) => {
        turn(sums, 9);
        turn(sums, 300);
      },
    ],
    ["zeros", (it) => put(it, Buffer.alloc(512))],
    ["nonsense", (it) => put(it, Buffer.alloc(512, "nonsense"))],
    ["a sector that cannot be read", ({ sums }) => sums.damage(0, 512)],
  ] as const satisfies readonly (readonly [string, (it: Written) => void])[]) {
    const it = await written();
    spoil(it);
    await expectWhole(it, what);
    it.sums.flipBit(sumPosition(1), 3);
    expect(() => it.world.content(3), what).toThrow(expect.objectContaining({ blocks: [2] }));
    expect(statesToSeal(it), what).toEqual([blockState.sound, blockState.damaged, blockState.sound]);
    expect(await lastRecovered(it), what).toBe(0);
  }
});

test("a bit of the header that turned before a crash, or before it is sealed, holds nothing up", async () => {
  for (const bit of [versionAt * 8, versionAt * 8 + 1, 8 * 8 + 3, 24 * 8, checksumAt * 8]) {
    const it = await written({ sealAfterMs: 1000, sealRetryMs: 100 }, true);
    const { world } = it;
    world.host.kill();
    turn(it.sums, bit);
    await world.start();
    expect(world.appliance.status()).toMatchObject([{ state: "open", received: 3 }]);
    await world.driver.until(() => world.appliance.status()[0]?.stored === 3);
    const history = await world.history(3);
    expect(history.map(({ payload }) => payload.length)).toEqual([blockBytes, blockBytes, blockBytes]);
  }
});

test("fault 29: sums that a later version wrote are refused in words by all who would use them, and left as they are", async () => {
  const it = await written({ sealAfterMs: 1000, sealRetryMs: 100 }, true);
  const { world } = it;
  const later = encodeSumsHeader({ group: groupA, segment, level: 0 });
  later[versionAt] = 2;
  putChecksum(later, 0, checksumAt, later, checksumAt);
  for (const turned of [undefined, 77]) {
    put(it, later);
    if (turned !== undefined) turn(it.sums, turned);
    expect(() => world.content(3)).toThrow(/version 2/);
    expect(() => statesToSeal(it)).toThrow(/version 2/);
    await expect(lastRecovered(it)).rejects.toThrow(/version 2/);
  }
  world.host.kill();
  await world.start();
  expect(world.appliance.status()).toMatchObject([{ state: "stopped", why: expect.stringContaining("version 2") }]);
  expect(world.folder().segments(world.host.files)).toEqual([segment]);
});

test("fault 19: sums of another segment or group are taken for nobody else's, also with a bit that turned", async () => {
  const it = await written();
  for (const owner of [
    { group: groupA, segment: 2 },
    { group: groupB, segment },
  ]) {
    for (const turned of [undefined, 8 * 8 + 1, versionAt * 8]) {
      put(it, encodeSumsHeader({ ...owner, level: 0 }));
      if (turned !== undefined) turn(it.sums, turned);
      expect(() => it.world.content(3)).toThrow(expect.objectContaining({ name: "DamagedBlocksError" }));
      expect(() => statesToSeal(it)).toThrow("another segment's");
    }
  }
});
