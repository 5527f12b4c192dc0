/** What was made of records that a history loses: gone with them, so that it does not pass for what comes in their place. */
import { expect, test } from "vitest";
import { cutSnapshots } from "#src/synth/history-cut.ts";
import {
  changeHistory,
  type HistoryDocument,
  type HistoryPin,
  historyDocumentName,
  readHistory,
  wholeHistory,
} from "#src/synth/history-document.ts";
import { seqsOfSnapshots } from "#src/synth/history-names.ts";
import { snapshotName } from "#src/synth/snapshot-format.ts";
import { pieceGroup as group } from "#test/journals/sealed-pieces.ts";
import { MemoryObjects } from "#test/store/memory-objects.ts";

const otherGroup = "ee".repeat(16);

function pin(seq: number, keeps: HistoryPin["keeps"]): HistoryPin {
  return { id: `view-${seq}`, seq, keeps, reason: "is open" };
}

async function storeWith(document: HistoryDocument, seqs: readonly number[]) {
  const removed: string[] = [];
  const objects = new MemoryObjects();
  const remove = objects.remove.bind(objects);
  objects.remove = (name) => {
    removed.push(name);
    return remove(name);
  };
  await changeHistory(objects, group, document, undefined);
  for (const seq of seqs) objects.contents.set(snapshotName({ group, seq }), Buffer.from("a snapshot"));
  objects.contents.set(snapshotName({ group: otherGroup, seq: 999 }), Buffer.from("another group's"));
  return { objects, removed };
}

test("nothing that is held, asked for or withdrawn lies behind the cut, and no snapshot; the newest goes first", async () => {
  const document = {
    ...wholeHistory,
    pins: [pin(100, "history"), pin(101, "snapshot")],
    withdrawn: [40, 101, 300],
    asked: [100, 200],
  };
  const { objects, removed } = await storeWith(document, [40, 100, 101, 200, 300]);
  await cutSnapshots(objects, group, 100);
  const found = await readHistory(objects, group);
  expect(found.document).toEqual({ ...document, pins: [pin(100, "history")], withdrawn: [40], asked: [100] });
  expect(removed).toEqual([300, 200, 101].map((seq) => snapshotName({ group, seq })));
  expect(await seqsOfSnapshots(objects, group)).toEqual([40, 100]);
  expect(await seqsOfSnapshots(objects, otherGroup)).toEqual([999]);
});

test("it is said before anything goes, so that whoever is interrupted does it once more", async () => {
  const { objects } = await storeWith({ ...wholeHistory, asked: [200, 300] }, [100, 200, 300]);
  const remove = objects.remove;
  objects.remove = () => Promise.reject(new Error("ended here"));
  await expect(cutSnapshots(objects, group, 150)).rejects.toThrow("ended here");
  expect((await readHistory(objects, group)).document.asked).toEqual([]);
  objects.remove = remove;
  await cutSnapshots(objects, group, 150);
  expect(await seqsOfSnapshots(objects, group)).toEqual([100]);
});

test("where its copy alone says so the document is written over before anything goes", async () => {
  const { objects, removed } = await storeWith({ ...wholeHistory, pins: [pin(200, "snapshot")] }, [100, 200]);
  const name = historyDocumentName(group);
  const changeDocument = objects.changeDocument.bind(objects);
  objects.changeDocument = async (one, bytes, version) => {
    if (one === name) throw new Error("ended here");
    return await changeDocument(one, bytes, version);
  };
  await expect(cutSnapshots(objects, group, 150)).rejects.toThrow("ended here");
  expect(removed).toEqual([]);
  const { version } = await readHistory(objects, group);
  await changeDocument(name, Buffer.from("damaged"), version);
  await expect(cutSnapshots(objects, group, 150)).rejects.toThrow("ended here");
  expect(removed).toEqual([]);
  objects.changeDocument = changeDocument;
  await cutSnapshots(objects, group, 150);
  expect(removed).toEqual([snapshotName({ group, seq: 200 })]);
  expect(await readHistory(objects, group)).toMatchObject({ document: wholeHistory, isOfCopy: false });
});

test("a document that says nothing of what is lost is not written anew", async () => {
  const { objects, removed } = await storeWith({ ...wholeHistory, asked: [100] }, [100]);
  const { version } = await readHistory(objects, group);
  objects.changeDocument = () => Promise.reject(new Error("there is nothing to be said"));
  await cutSnapshots(objects, group, 100);
  expect((await readHistory(objects, group)).version).toBe(version);
  expect(removed).toEqual([]);
});
