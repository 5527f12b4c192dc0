/** Histories in a store whose service errs: nothing is lost for it, and in the end all is done. */
import { expect, test } from "vitest";
import { RetryError, StopError } from "#src/core/errors.ts";
import { MiB } from "#src/core/limits.ts";
import { FolderReserve } from "#src/store/folder-reserve.ts";
import { AbsentObjectError } from "#src/store/objects.ts";
import { GroupHistory } from "#src/synth/group-history.ts";
import { decodeHistory, historyDocumentName } from "#src/synth/history-document.ts";
import { seqsOfSnapshots } from "#src/synth/history-names.ts";
import { LiveHistory } from "#src/synth/live-history.ts";
import { snapshotName } from "#src/synth/snapshot-format.ts";
import { pieceGroup } from "#test/journals/sealed-pieces.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { anyFaults, FaultyObjects } from "#test/store/faulty-objects.ts";
import { HistoryWorld, historyRoot } from "./history-world.ts";
import { idleControl } from "./snapshot-world.ts";

async function opened(seed: number, pieceCount: number): Promise<HistoryWorld> {
  const world = await HistoryWorld.make(seed);
  await world.run(world.open());
  for (let count = 0; count < pieceCount; count++) await world.run(world.seal(6));
  return world;
}

const documentName = historyDocumentName(pieceGroup);

function damage(world: HistoryWorld, name: string): void {
  const handle = world.host.files.open(`${historyRoot}/${name}`, "readWrite");
  handle.writeNow(Buffer.from("?"), 0, 1, 20);
  handle.close();
}

const nothing = { chances: {}, delayMsMax: 0, lateMsMax: 0 };

test("fault 21: whatever a service for objects answers, no point that is kept is lost", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const world = await opened(seed, 5);
    const { clock } = world.host;
    const random = new SeededRandom(seed);
    const faulty = new FaultyObjects({ inner: world.objects, clock, random });
    const parts = { objects: faulty, randomness: random, key: undefined, group: pieceGroup, clock };
    const ends = (await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq) as number[];
    const [first = 0, second = 0, third = 0] = ends;
    faulty.faults = anyFaults(0.02);
    const history = new GroupHistory(parts);
    const until = async (work: () => Promise<unknown>): Promise<void> => {
      for (let attempt = 0; attempt < 200; attempt++) {
        try {
          await world.run(work());
          return;
        } catch (error) {
          if (!(error instanceof Error) || error.name === "AssertionError") throw error;
        }
      }
      throw new Error("it never came to an end");
    };
    await until(() => history.makeSnapshot(first, idleControl));
    await until(() => history.makeSnapshot(third, idleControl));
    await until(() => history.retain({ fromSeq: second }, idleControl));
    expect(faulty.faultCount).toBeGreaterThan(0);
    faulty.faults = nothing;
    await world.run(new Promise<void>((resolve) => clock.timer(5000, resolve)));
    const reopened = new GroupHistory({ ...parts, objects: world.objects });
    const { basedOn } = await world.run(reopened.history());
    expect(basedOn).toBe(second);
    for (const seq of [second, second + 1, third, ends.at(-1) ?? 0]) {
      const snapshot = await world.run(reopened.makeSnapshot(seq, idleControl));
      expect(await world.run(world.differences(snapshot)), `seed ${seed}`).toEqual([]);
    }
  }
});

test("a list that does not tell of the base, or lacks a piece, marks nothing as dead", async () => {
  const world = await opened(3, 5);
  const ends = (await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq) as number[];
  await world.run(world.history.retain({ fromSeq: ends[1] as number }, idleControl));
  const hidden = new Set<string>();
  const objects = {
    ...{ read: world.objects.read.bind(world.objects), sizeBytes: world.objects.sizeBytes.bind(world.objects) },
    readDocument: world.objects.readDocument.bind(world.objects),
    close: async () => {},
    async *list(prefix: string) {
      for await (const info of world.objects.list(prefix)) if (!hidden.has(info.name)) yield info;
    },
  };
  const parts = { objects, key: undefined, segmentsWithFiles: async () => new Set<number>() };
  const marked = () => world.run(new LiveHistory(parts).markLive({ mark: () => {} }, idleControl));
  await marked();
  const [base] = await world.run(world.history.snapshots());
  if (base === undefined || base instanceof Error) throw new Error("there is a base");
  hidden.add(base.name);
  await expect(marked()).rejects.toThrow(RetryError);
  // One that is lost does not come back by itself: who waits for that would wait for ever.
  const sizeBytes = async (name: string) => {
    if (name === base.name) throw new AbsentObjectError(name);
    return await objects.sizeBytes(name);
  };
  const lost = new LiveHistory({ ...parts, objects: { ...objects, sizeBytes } });
  await expect(world.run(lost.markLive({ mark: () => {} }, idleControl))).rejects.toThrow(
    new StopError(`the store has lost ${base.name}, from which points are made: put it back from a copy of the store`),
  );
  hidden.clear();
  hidden.add((await world.run(world.pieces()))[1]?.name as string);
  await expect(marked()).rejects.toThrow("does not follow what was before");
});

test("fault 18: a piece that is damaged for good expires as others do, once a snapshot stands for it", async () => {
  for (const keptPieces of [3, 2]) {
    const world = await opened(3, 5);
    const pieces = await world.run(world.pieces());
    const [, second, third, , last] = pieces.map((piece) => piece.numbers.lastSeq) as [
      number,
      number,
      number,
      number,
      number,
    ];
    await world.run(world.history.makeSnapshot(second, idleControl));
    damage(world, pieces[1]?.name as string);
    const fromSeq = keptPieces === 3 ? second : third;
    await world.run(world.history.retain({ fromSeq }, idleControl));
    const { basedOn, behind } = await world.run(world.history.history());
    expect([basedOn, behind]).toEqual([fromSeq, pieces[4 - keptPieces]?.link]);
    expect((await world.run(world.pieces())).map(({ name }) => name)).toEqual(
      pieces.slice(-keptPieces).map(({ name }) => name),
    );
    const parts = { objects: world.objects, key: undefined, segmentsWithFiles: async () => new Set<number>() };
    await world.run(new LiveHistory(parts).markLive({ mark: () => {} }, idleControl));
    for (const seq of [basedOn, last]) {
      const snapshot = await world.run(world.history.makeSnapshot(seq, idleControl));
      expect(await world.run(world.differences(snapshot))).toEqual([]);
    }
  }
});

test("fault 18: a damaged snapshot holds up nothing but the removal of those that it may point into", async () => {
  const world = await opened(3, 5);
  const ends = (await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq);
  const [first, second, third, fourth] = ends as [number, number, number, number];
  for (const seq of [first, second, third]) await world.run(world.history.makeSnapshot(seq, idleControl));
  damage(world, snapshotName({ group: pieceGroup, seq: second }));
  for (const seq of [first, third]) await world.run(world.history.removeSnapshot(seq));
  await world.run(world.history.retain({}, idleControl));
  const seqs = async () => await world.run(seqsOfSnapshots(world.objects, pieceGroup));
  expect(await seqs()).toEqual([first, second]);
  // With its time it goes too.
  await world.run(world.history.retain({ fromSeq: fourth }, idleControl));
  expect(await seqs()).not.toContain(second);
});

test("fault 16: on a full disk a history begins later by the reserve, and nothing else is made", async () => {
  const world = await opened(4, 4);
  const { files, randomness, log, clock, disk } = world.host;
  const reserve = new FolderReserve({ files, randomness, log, folder: historyRoot, byteLength: () => 4 * MiB });
  await world.run(reserve.refill());
  disk.faults.capacityBytes = disk.spaceBytes;
  const parts = { objects: world.objects, randomness, key: undefined, group: pieceGroup, clock };
  const history = new GroupHistory({ ...parts, reserve });
  const [first = 0, second = 0] = (await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq);
  await expect(world.run(history.makeSnapshot(first, idleControl))).rejects.toThrow(RetryError);
  const plan = await world.run(history.retain({ fromSeq: second }, idleControl));
  expect(plan.pieces).toHaveLength(2);
  expect(await world.run(world.pieces())).toHaveLength(2);
  expect(reserve.heldBytes).toBeLessThan(4 * MiB);
  const [base] = await world.run(history.snapshots());
  if (base === undefined || base instanceof Error) throw new Error("there is a base");
  expect(await world.run(world.differences(base))).toEqual([]);
});

test.each(["damaged", "gone"])("fault 18: a document of a history that is %s is told by its copy", async (how) => {
  const world = await opened(5, 4);
  const [, second = 0] = (await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq);
  await world.run(world.history.retain({ fromSeq: second }, idleControl));
  if (how === "gone") world.host.files.remove(`${historyRoot}/${documentName}`);
  else damage(world, documentName);
  expect((await world.run(world.history.history())).basedOn).toBe(second);
  await world.run(world.history.pin({ id: "a", seq: second, keeps: "history", reason: "is open" }));
  expect(await world.run(world.history.history())).toMatchObject({ basedOn: second, pins: [{ id: "a" }] });
  expect(await world.run(world.objects.readDocument(documentName))).not.toBe(undefined);
});

test("fault 18: what the copy alone says is in the document before anything goes by it", async () => {
  const world = await opened(6, 4);
  const { objects } = world;
  const [, second = 0] = (await world.run(world.pieces())).map((piece) => piece.numbers.lastSeq);
  await world.run(world.history.retain({}, idleControl));
  const changeDocument = objects.changeDocument.bind(objects);
  objects.changeDocument = async (name, bytes, version) => {
    if (name === documentName) throw new Error("ended here");
    return await changeDocument(name, bytes, version);
  };
  await expect(world.run(world.history.retain({ fromSeq: second }, idleControl))).rejects.toThrow("ended here");
  objects.changeDocument = changeDocument;
  damage(world, documentName);
  const { clock, randomness } = world.host;
  const history = new GroupHistory({ objects, randomness, key: undefined, group: pieceGroup, clock });
  const said: number[] = [];
  const remove = objects.remove.bind(objects);
  objects.remove = async (name) => {
    // A scrub could make of a damaged one what it was before.
    const document = await objects.readDocument(documentName);
    said.push(decodeHistory(document?.bytes as Buffer, pieceGroup).basedOn);
    await remove(name);
  };
  await world.run(history.retain({ fromSeq: second }, idleControl));
  expect(said).toEqual([second, second]);
});
