import { expect, test } from "vitest";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { sealedPieceName } from "#src/journals/sealed-piece-format.ts";
import { encodeHistory, historyDocumentName, wholeHistory } from "#src/synth/history-document.ts";
import { keptRecords } from "#src/synth/kept-records.ts";
import { ScrubWorld, scrubGroup } from "#test/journals/scrub-world.ts";

async function seqsAfter(world: ScrubWorld, afterSeq: number): Promise<number[]> {
  const place = { objects: world.store, group: scrubGroup, key: undefined };
  const seqs: number[] = [];
  for await (const { seq } of keptRecords(place, afterSeq)) seqs.push(seq);
  return seqs;
}

test("whoever asks for records that have expired is refused in words, and what is behind them is given", async () => {
  const world = await ScrubWorld.make(false);
  const { link } = await SealedPiece.open(world.store, { group: scrubGroup, firstSeq: 1 }, undefined);
  const history = encodeHistory({ ...wholeHistory, basedOn: 2, behind: link }, scrubGroup);
  await world.store.changeDocument(historyDocumentName(scrubGroup), history, undefined);
  const refusal = {
    name: "RefuseError",
    message: expect.stringContaining("the records from 2 to 2 are not kept any more"),
  };
  // The piece itself goes when somebody finds the time.
  await expect(seqsAfter(world, 1)).rejects.toThrow(expect.objectContaining(refusal));
  world.store.bytes.delete(sealedPieceName({ group: scrubGroup, firstSeq: 1 }));
  await expect(seqsAfter(world, 1)).rejects.toThrow(expect.objectContaining(refusal));
  expect(await seqsAfter(world, 2)).toEqual([3, 4, 5, 6]);
});

test("a piece that is missing is damage also where nothing has expired", async () => {
  const world = await ScrubWorld.make(false);
  world.store.bytes.delete(sealedPieceName({ group: scrubGroup, firstSeq: 1 }));
  await expect(seqsAfter(world, 0)).rejects.toThrow(expect.objectContaining({ name: "StopError" }));
});
