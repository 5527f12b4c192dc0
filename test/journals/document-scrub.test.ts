/** The documents of a store, damaged in more than a bit. */
import { expect, test } from "vitest";
import { decodeDocument, encodeDocument } from "#src/host/document.ts";
import { groupDocumentName } from "#src/journals/group-document.ts";
import { decodeStoreHolder, holdStore } from "#src/store/store-holder.ts";
import { historyDocuments } from "#src/synth/history-document.ts";
import { FreeWork } from "#test/store/free-work.ts";
import { ScrubWorld, scrubGroup } from "./scrub-world.ts";

test.each(["store.json", "store-copy.json"])("%s is restored from the other one", async (name) => {
  const world = await ScrubWorld.make(true);
  const scrub = await world.scrub();
  const before = Buffer.from(world.store.bytes.get(name) as Buffer);
  for (const bit of [700, 1400, 2105]) world.store.flip(name, bit);
  expect((await scrub.run(new FreeWork(), { isAnew: true })).findings).toEqual([]);
  expect(world.store.bytes.get(name)).toEqual(before);
});

test("what is said of a group is named where it cannot be repaired, until it is written anew", async () => {
  const world = await ScrubWorld.make(false);
  const name = groupDocumentName(scrubGroup);
  const before = Buffer.from(world.store.bytes.get(name) as Buffer);
  for (const bit of [700, 1400]) world.store.flip(name, bit);
  expect((await world.scrubbed()).state.findings).toMatchObject([
    { object: name, thing: "document", obstacle: "it is more than one bit" },
  ]);
  world.store.bytes.set(name, before);
  expect((await world.scrubbed()).state.findings).toEqual([]);
});

test("what the index does not know any more it is told again", async () => {
  const world = await ScrubWorld.make(false);
  const known = new Map(world.index.addresses);
  for (const key of [...known.keys()].slice(0, 5)) world.index.addresses.delete(key);
  expect((await world.scrubbed()).state.reindexedCount).toBe(5);
  expect(world.index.addresses).toEqual(known);
  expect((await world.scrubbed()).state.reindexedCount).toBe(0);
});

test("what others keep in the store is mended too, and is named where it cannot be", async () => {
  const world = await ScrubWorld.make(false);
  const bytes = encodeDocument({ format: "tidemark-other", version: 1 }, { plan: ["this", "and that"] });
  const decode = (content: Buffer) => decodeDocument(content, "other", { format: "tidemark-other", version: 1 });
  const otherDocuments = () => [
    { name: "other.json", decode },
    { name: "none.json", decode },
  ];
  world.store.bytes.set("other.json", Buffer.from(bytes));
  world.store.flip("other.json", 8 * bytes.indexOf("and that") + 1);
  expect((await world.scrubbed({ otherDocuments })).state.findings).toEqual([]);
  expect(world.store.bytes.get("other.json")).toEqual(bytes);
  for (const bit of [0, 9]) world.store.flip("other.json", 8 * bytes.indexOf("and that") + bit);
  expect((await world.scrubbed({ otherDocuments })).state.findings).toMatchObject([{ object: "other.json" }]);
});

test("a document that says what cannot be is named, though its checksum fits", async () => {
  const world = await ScrubWorld.make(false);
  const history = historyDocuments([scrubGroup]);
  const kind = { format: "tidemark-history", version: 1 };
  const content = { group: scrubGroup, basedOn: -1, trustedMicros: 0, pins: [], withdrawn: [], behind: null };
  world.store.bytes.set(history[0]?.name as string, encodeDocument(kind, content));
  expect((await world.scrubbed({ otherDocuments: () => history })).state.findings).toMatchObject([
    { object: history[0]?.name, thing: "document" },
  ]);
});

test("what is to be there and is not is named, with what brings it back", async () => {
  const world = await ScrubWorld.make(false);
  const otherDocuments = () => [
    { name: "holder.json", decode: decodeStoreHolder, ifMissing: "a start brings it back" },
  ];
  world.store.bytes.delete(groupDocumentName(scrubGroup));
  const missing = { thing: "document", finding: "it is not there" };
  expect((await world.scrubbed({ otherDocuments })).state.findings).toMatchObject([
    { object: groupDocumentName(scrubGroup), ...missing, obstacle: expect.stringContaining("next piece") },
    { object: "holder.json", ...missing, obstacle: "a start brings it back" },
  ]);
  await holdStore(world.store, "a".repeat(32), 1);
  expect((await world.scrubbed({ otherDocuments })).state.findings).toMatchObject([
    { object: groupDocumentName(scrubGroup) },
  ]);
});

test("a document of a later version is told as what it is, and left as it is", async () => {
  const world = await ScrubWorld.make(false);
  const name = groupDocumentName(scrubGroup);
  const later = encodeDocument({ format: "tidemark-stored-group", version: 3 }, { id: scrubGroup });
  world.store.bytes.set(name, Buffer.from(later));
  expect((await world.scrubbed()).state.findings).toMatchObject([
    {
      object: name,
      thing: "document",
      finding: expect.stringContaining("has version 3"),
      obstacle: expect.any(String),
    },
  ]);
  expect(world.store.bytes.get(name)).toEqual(later);
});

test("a document whose white space was turned comes back as it was written", async () => {
  const world = await ScrubWorld.make(false);
  const name = groupDocumentName(scrubGroup);
  const before = Buffer.from(world.store.bytes.get(name) as Buffer);
  for (let byte = 0; byte < before.length; byte++) {
    if (before[byte] !== 10) continue;
    for (const bit of [0, 1, 2]) {
      world.store.flip(name, 8 * byte + bit);
      await world.scrubbed();
      expect(world.store.bytes.get(name)).toEqual(before);
    }
  }
});
