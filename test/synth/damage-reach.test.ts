/** Whom damage hurts where the first pieces have expired: what was written before is only in the base, and in pinned snapshots. */
import { expect, test } from "vitest";
import { type Reach, reachOf } from "#src/journals/damage-reach.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { snapshotReaches } from "#src/journals/snapshot-reach.ts";
import { verifyStore } from "#src/journals/store-verification.ts";
import { segmentOf, slotOf } from "#src/records/address.ts";
import { recordType } from "#src/records/record.ts";
import type { LiveBlocks } from "#src/store/live-blocks.ts";
import { objectHeaderBytes } from "#src/store/object-format.ts";
import { findingLine, type ScrubFinding } from "#src/store/scrub-finding.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { StoredSnapshotBlocks } from "#src/synth/stored-snapshot-blocks.ts";
import { contentOf, volumeBlocks, volumeCount } from "#test/journals/random-units.ts";
import { pieceGroup } from "#test/journals/sealed-pieces.ts";
import { HistoryWorld, historyRoot } from "./history-world.ts";
import { idleControl } from "./snapshot-world.ts";

/** Nothing is needed, as far as it knows, and all of it is settled. */
const nothingLives: LiveBlocks = { markLive: async () => ({ has: () => true }) };

interface Cut {
  readonly world: HistoryWorld;
  readonly lastSeqs: readonly number[];
}

/** The history is based on the second of four pieces; the state behind the first one is pinned. */
async function cut(): Promise<Cut> {
  const world = await HistoryWorld.make(8);
  await world.run(world.open());
  for (const unitCount of [8, 4, 2, 1]) await world.run(world.seal(unitCount));
  const lastSeqs = (await world.run(world.pieces())).map((piece: SealedPiece) => piece.numbers.lastSeq);
  const [first, second] = lastSeqs as [number, number];
  await world.run(world.history.makeSnapshot(first, idleControl));
  await world.run(world.history.pin({ id: "a", seq: first, keeps: "snapshot", reason: "asked for" }));
  await world.run(world.history.retain({ fromSeq: second }, idleControl));
  return { world, lastSeqs };
}

async function reach(
  { world: { run, objects } }: { readonly world: Pick<HistoryWorld, "run" | "objects"> },
  address: number,
  live: LiveBlocks | undefined = nothingLives,
): Promise<Reach | undefined> {
  const segments = await SealedSegments.open(objects, async () => Promise.reject(new Error("there are none")));
  const damages = [{ segment: segmentOf(address), slots: [{ slot: slotOf(address), count: 1 }] }];
  const snapshots = new StoredSnapshotBlocks({ objects, key: undefined });
  return (await run(reachOf({ objects, key: undefined, segments, live, snapshots }, damages, idleControl)))[0];
}

/** Blocks and who wrote them, where the same is there at both points. */
function* standing({ world }: Cut, from: number, to: number) {
  for (let volume = 1; volume <= volumeCount; volume++) {
    for (let startBlock = 0; startBlock < volumeBlocks; startBlock++) {
      const content = contentOf(world.records, volume, startBlock, from);
      const later = contentOf(world.records, volume, startBlock, to);
      if (content !== undefined && content.address > 0 && content.seq === later?.seq) {
        yield { volume, startBlock, address: content.address };
      }
    }
  }
}

/** With what runs on the simulated machine's clock. */
function within({ world, ...rest }: Cut) {
  return { ...rest, world: { run: <Result>(work: Promise<Result>) => world.run(work), objects: world.objects } };
}

test("a block that only the base holds cannot be read from the base on, up to what has written over it", async () => {
  const made = await cut();
  const [first, second, , last] = made.lastSeqs as [number, number, number, number];
  let count = 0;
  for (const { volume, startBlock, address } of standing(made, second, last)) {
    const { affected, isCut } = (await reach(within(made), address)) as Reach;
    const facts = { group: pieceGroup, volume, startBlock, blockCount: 1 };
    expect(affected).toContainEqual({ ...facts, fromSeq: second, fromMicros: expect.any(Number) });
    expect(isCut).toBe(false);
    count++;
  }
  expect(count).toBeGreaterThan(5);
  const { records } = made.world;
  for (const { volume, startBlock, address } of standing(made, first, second)) {
    const now = contentOf(records, volume, startBlock, last);
    const isOver = now !== undefined && now.seq > second && now.address !== address;
    if (!isOver) continue;
    const { affected } = (await reach(within(made), address)) as Reach;
    const found = affected.filter((one) => one.volume === volume && one.startBlock === startBlock);
    const untils = found.map(({ fromSeq, untilSeq }) => [fromSeq, (untilSeq ?? Number.MAX_SAFE_INTEGER) <= now.seq]);
    expect(untils.sort()).toEqual([
      [first, true],
      [second, true],
    ]);
    expect(found.find(({ fromSeq }) => fromSeq === first)?.untilSeq).toBe(first + 1);
    return;
  }
  expect.unreachable("something is written over");
});

test("it is not said that nothing needs a block where a snapshot is unreadable, or those who know say otherwise", async () => {
  const made = await cut();
  const [, second, , last] = made.lastSeqs as [number, number, number, number];
  const far =
    Math.max(...made.world.records.filter(({ type }) => type === recordType.write).map(({ address }) => address)) + 1e6;
  expect(await reach(within(made), far)).toEqual({ affected: [], isCut: false });
  const marks: LiveBlocks = {
    markLive: async (live) => {
      live.mark(far - 1, 2);
      return { has: () => true };
    },
  };
  const unsettled: LiveBlocks = { markLive: async () => ({ has: () => false }) };
  for (const live of [marks, unsettled])
    expect(await reach(within(made), far, live)).toEqual({ affected: [], isCut: true });
  const { address } = [...standing(made, second, last)][0] as { address: number };
  const name = [...(await made.world.run(namesOf(made.world)))].at(-1);
  spoil(made.world, name as string, 0);
  expect((await reach(within(made), address))?.isCut).toBe(true);
});

test("a base and a pinned snapshot that are lost are known, and found by a verification, also where there is no other", async () => {
  const { world, lastSeqs } = await cut();
  const [first, second] = lastSeqs as [number, number];
  const { objects } = world;
  const snapshots = new StoredSnapshotBlocks({ objects, key: undefined });
  const segments = await world.run(
    SealedSegments.open(objects, async () => Promise.reject(new Error("there are none"))),
  );
  expect(await world.run(snapshots.lost(pieceGroup))).toEqual([]);
  const [pinned, base] = (await world.run(namesOf(world))) as [string, string];
  for (const name of [pinned, base]) await world.run(objects.remove(name));
  expect(await world.run(snapshots.groups())).toEqual([pieceGroup]);
  expect(await world.run(snapshots.lost(pieceGroup))).toEqual([
    { object: pinned, seq: first, isBase: false },
    { object: base, seq: second, isBase: true },
  ]);
  const { findings } = await world.run(verifyStore({ objects, key: undefined, segments, snapshots }, idleControl));
  expect(findings).toEqual([
    expect.stringMatching(`no object ${pinned}; the point of record ${first} cannot be opened`),
    expect.stringMatching(`no object ${base}; points from record ${second} on cannot be opened`),
  ]);
});

test("a damaged base is found by a verification and by the scrub, with the points that begin with it", async () => {
  const { world, lastSeqs } = await cut();
  const [first, second] = lastSeqs as [number, number];
  const { objects } = world;
  const snapshots = new StoredSnapshotBlocks({ objects, key: undefined });
  const [pinned, base] = (await world.run(namesOf(world))) as [string, string];
  const segments = await world.run(
    SealedSegments.open(objects, async () => Promise.reject(new Error("there are none"))),
  );
  const verified = async () =>
    (await world.run(verifyStore({ objects, key: undefined, segments, snapshots }, idleControl))).findings;
  const reached = async (object: string) =>
    (await world.run(snapshotReaches(snapshots, pieceGroup, idleControl)))(object);
  expect([await verified(), await reached(base)]).toEqual([[], { affected: [], isCut: false, seqs: undefined }]);
  // One behind the base makes points open sooner, and nothing is lost with it.
  const newest = await world.run(world.history.makeSnapshot(lastSeqs[3] as number, idleControl));
  spoil(world, newest.name, objectHeaderBytes + 40);
  expect(await verified()).toEqual([
    expect.stringMatching(
      `points from record ${newest.seq} on are made of an earlier snapshot and the pieces behind it`,
    ),
  ]);
  expect(await reached(newest.name)).toEqual({ affected: [], isCut: false, seqs: undefined });
  await world.run(world.objects.remove(newest.name));
  // A leaf: the first part.
  spoil(world, pinned, objectHeaderBytes + 40);
  expect(await verified()).toEqual([
    expect.stringMatching(`volume 1 cannot be read at the point of record ${first}, of group ${pieceGroup}$`),
  ]);
  const { affected, seqs } = await reached(pinned);
  expect(seqs).toBeUndefined();
  expect(affected).toContainEqual(expect.objectContaining({ volume: 1, fromSeq: first, untilSeq: first + 1 }));
  spoil(world, base, 0);
  expect(await verified()).toEqual([
    expect.stringMatching(`volume 1 cannot be read at the point of record ${first}, of group ${pieceGroup}$`),
    expect.stringMatching(`points from record ${second} on cannot be opened, of group ${pieceGroup}$`),
  ]);
  expect((await reached(base)).seqs).toEqual({ first: second, last: Number.MAX_SAFE_INTEGER });
  const facts = { object: base, thing: "header", finding: "it is none", count: 1, slots: [], foundMicros: 1 } as const;
  expect(findingLine({ ...facts, ...(await reached(base)), obstacle: "it is more than one bit" } as ScrubFinding)).toBe(
    `${base}: header: it is none; points from record ${second} on of group ${pieceGroup} cannot be opened, whatever the volume; ` +
      "not repaired: it is more than one bit",
  );
});

function spoil({ host }: HistoryWorld, name: string, position: number): void {
  const handle = host.files.open(`${historyRoot}/${name}`, "readWrite");
  handle.writeNow(Buffer.alloc(20, 7), 0, 20, position);
  handle.close();
}

async function namesOf({ objects }: HistoryWorld): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of objects.list("snapshots/")) names.push(name);
  return names;
}
