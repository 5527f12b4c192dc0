/** The history document as others may leave it: spoiled field by field, over-full, gone, or changed at the same time. */
import { describe, expect, test } from "vitest";
import { RetryError, StopError } from "#src/core/errors.ts";
import { historyAskedMax, historyPinsMax, historyWithdrawnMax } from "#src/core/store-limits.ts";
import { decodeDocument, encodeDocument } from "#src/host/document.ts";
import {
  changeHistory,
  decodeHistory,
  encodeHistory,
  type HistoryDocument,
  historyDocumentName,
  historyDocumentNames,
  historyDocuments,
  readHistory,
  wholeHistory,
} from "#src/synth/history-document.ts";
import { pieceGroup as group } from "#test/journals/sealed-pieces.ts";
import { MemoryObjects } from "#test/store/memory-objects.ts";

const kind = { format: "tidemark-history", version: 1 } as const;
const name = historyDocumentName(group);
const [, copyName = ""] = historyDocumentNames([group]);
const pin = { id: "view-1", seq: 31, keeps: "snapshot", reason: "is open" } as const;
const history: HistoryDocument = {
  basedOn: 20,
  behind: { hash: Buffer.alloc(32, 0xab), firstSeq: 11, lastSeq: 20, lastEpoch: 1 },
  trustedMicros: 1_700_000_000_000_000,
  pins: [pin],
  withdrawn: [25],
  asked: [31],
};
const content = decodeDocument(encodeHistory(history, group), name, kind);
const behind = content.behind as object;
const spoiled = Buffer.from("no document");

/** Each with a checksum that fits: as another program, or a fault of this one, would have left it. */
describe("a document that does not say what it should is damaged", () => {
  test.each<[what: string, change: object]>([
    ["of another group", { group: "ff".repeat(16) }],
    ["a negative seq", { basedOn: -1 }],
    ["a seq that is none", { basedOn: 1.5 }],
    ["a time that is a text", { trustedMicros: "now" }],
    ["pins that are no list", { pins: {} }],
    ["a pin that is nothing", { pins: [null] }],
    ["a pin that keeps something else", { pins: [{ ...pin, keeps: "all" }] }],
    ["a pin without an id", { pins: [{ ...pin, id: 7 }] }],
    ["a pin without a reason", { pins: [{ ...pin, reason: undefined }] }],
    ["a pin without a seq", { pins: [{ ...pin, seq: null }] }],
    ["withdrawn snapshots that are no list", { withdrawn: 25 }],
    ["a withdrawn snapshot that is no seq", { withdrawn: ["25"] }],
    ["asked snapshots that are no list", { asked: "31" }],
    ["an asked snapshot that is no seq", { asked: [-31] }],
    ["an end that nobody said", { behind: undefined }],
    ["an end with half a hash", { behind: { ...behind, hash: "ab".repeat(16) } }],
    ["an end with a hash that is none", { behind: { ...behind, hash: "xy".repeat(32) } }],
    ["an end without a hash", { behind: { ...behind, hash: 1 } }],
    ["an end without a first seq", { behind: { ...behind, firstSeq: null } }],
    ["an end without a last seq", { behind: { ...behind, lastSeq: null } }],
    ["an end without an epoch", { behind: { ...behind, lastEpoch: null } }],
    ["an end behind the base", { behind: { ...behind, lastSeq: 21 } }],
  ])("%s", (_what, change) => {
    const bytes = encodeDocument(kind, { ...content, ...change });
    expect(() => decodeHistory(bytes, group)).toThrow(
      new StopError(`${name} is damaged: it does not say from where on a history is kept`),
    );
  });

  test("and the one that these were made of is none of them", () => {
    expect(decodeHistory(encodeDocument(kind, content), group)).toEqual(history);
  });
});

test.each<[keyof HistoryDocument, number, string]>([
  ["pins", historyPinsMax, "pins hold points"],
  ["withdrawn", historyWithdrawnMax, "snapshots were removed that others point into"],
  ["asked", historyAskedMax, "snapshots were asked for"],
])("as many %s as may be are written, and one more is refused in words", (list, most, words) => {
  const full = (count: number) => ({
    ...history,
    [list]: Array.from({ length: count }, () => (list === "pins" ? pin : 30)),
  });
  expect(decodeHistory(encodeHistory(full(most), group), group)[list]).toHaveLength(most);
  expect(() => encodeHistory(full(most + 1), group)).toThrow(new StopError(`more than ${most} ${words}`));
});

describe("of the document and its copy", () => {
  async function written(): Promise<MemoryObjects> {
    const objects = new MemoryObjects();
    await changeHistory(objects, group, history, undefined);
    return objects;
  }

  async function spoil(objects: MemoryObjects, one: string): Promise<void> {
    const { version } = (await objects.readDocument(one)) as { readonly version: string };
    await objects.changeDocument(one, spoiled, version);
  }

  test("where there is none, all is kept", async () => {
    const found = await readHistory(new MemoryObjects(), group);
    expect(found).toEqual({ document: wholeHistory, version: undefined, isOfCopy: false });
  });

  test("fault 18: the copy counts where the document is damaged, which is then written over", async () => {
    const objects = await written();
    await spoil(objects, name);
    const { document, version, isOfCopy } = await readHistory(objects, group);
    expect({ document, isOfCopy }).toEqual({ document: history, isOfCopy: true });
    await changeHistory(objects, group, { ...history, basedOn: 21 }, version);
    expect(await readHistory(objects, group)).toMatchObject({ document: { basedOn: 21 }, isOfCopy: false });
  });

  test("fault 18: where both are damaged nothing is taken for kept or gone", async () => {
    const objects = await written();
    for (const one of [name, copyName]) await spoil(objects, one);
    await expect(readHistory(objects, group)).rejects.toThrow(StopError);
  });

  test("whoever has read an older one does not write over a newer one", async () => {
    const objects = await written();
    const before = await readHistory(objects, group);
    await changeHistory(objects, group, { ...history, basedOn: 22 }, before.version);
    const late = changeHistory(objects, group, { ...history, basedOn: 23 }, before.version);
    await expect(late).rejects.toThrow(new RetryError(`${name} is being changed by somebody else`));
    expect((await readHistory(objects, group)).document.basedOn).toBe(22);
  });

  test("whoever checks them is told of both, and how to read them", async () => {
    const checks = historyDocuments([group]);
    expect(checks.map((check) => check.name)).toEqual([name, copyName]);
    for (const { decode } of checks) expect(() => decode(spoiled)).toThrow(StopError);
  });
});
