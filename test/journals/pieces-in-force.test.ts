import { expect, test } from "vitest";
import { sortedPieces, withoutReplaced } from "#src/journals/pieces-in-force.ts";
import { type SealedPieceIdentity, sealedPieceName } from "#src/journals/sealed-piece-format.ts";
import { listOf } from "./sealed-pieces.ts";

const [groupA, groupB] = ["a".repeat(32), "b".repeat(32)];

function piece(group: string, firstSeq: number, lastSeq?: number, generation = 1): SealedPieceIdentity {
  return lastSeq === undefined ? { group, firstSeq } : { group, firstSeq, folded: { lastSeq, generation } };
}

function list(identities: readonly SealedPieceIdentity[]) {
  const names = identities.map(sealedPieceName).sort();
  return (async function* () {
    for (const name of names) yield { name, sizeBytes: 1 };
  })();
}

test("what a folded piece takes the place of does not count, however often it was folded", async () => {
  const sealed = [1, 11, 21, 31, 41, 51].map((firstSeq) => piece(groupA, firstSeq));
  const once = piece(groupA, 11, 30);
  const twice = piece(groupA, 1, 40, 2);
  expect(sortedPieces(sealed)).toEqual({ inForce: sealed, replaced: [] });
  const [first, , , fourth, fifth, sixth] = sealed;
  expect(sortedPieces([...sealed, once]).inForce).toEqual([first, once, fourth, fifth, sixth]);
  expect(sortedPieces([...sealed, once, twice]).inForce).toEqual([twice, fifth, sixth]);
  expect(sortedPieces([...sealed, once, twice]).replaced).toHaveLength(5);
  // The one that it was folded to first begins with the same record.
  const again = [...sealed, piece(groupA, 1, 20), twice];
  expect(sortedPieces(again).inForce).toEqual([twice, fifth, sixth]);
  for (const all of [sealed, [...sealed, once], [...sealed, once, twice], again]) {
    expect(await listOf(withoutReplaced(list(all)))).toEqual(sortedPieces(all).inForce);
  }
});

test("each group has its own", async () => {
  const all = [piece(groupA, 1), piece(groupA, 1, 50), piece(groupA, 11), piece(groupB, 1), piece(groupB, 11)];
  expect(await listOf(withoutReplaced(list(all)))).toEqual([piece(groupA, 1, 50), piece(groupB, 1), piece(groupB, 11)]);
});
