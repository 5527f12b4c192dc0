import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeGroupDocument, encodeGroupDocument, type GroupDocument } from "#src/journals/group-document.ts";

const document: GroupDocument = {
  id: "00112233445566778899aabbccddeeff",
  name: "disks",
  writer: "0123456789abcdef",
  life: 7,
  epoch: 2,
  seq: 1_099_511_627_776,
  volumes: [{ number: 1, id: "ffeeddccbbaa99887766554433221100", name: "root", sizeBytes: 10_737_418_240 }],
};

test("what a store says of a group has the bytes that it always had", () => {
  const golden = readFileSync(new URL("../golden/group-document-v1.bin", import.meta.url));
  expect(encodeGroupDocument(document).toString()).toBe(golden.toString());
  expect(decodeGroupDocument(golden, document.id)).toEqual(document);
});

test("a document of another group, or one that says what cannot be, is not believed", () => {
  const { id } = document;
  expect(() => decodeGroupDocument(encodeGroupDocument(document), "f".repeat(32))).toThrow(
    "is not what the store says",
  );
  for (const change of [{ life: -1 }, { seq: 0.5 }, { name: 5 }, { volumes: [{ number: 1 }] }, { volumes: "none" }]) {
    const bytes = encodeGroupDocument({ ...document, ...change } as GroupDocument);
    expect(() => decodeGroupDocument(bytes, id), JSON.stringify(change)).toThrow("is not what the store says");
  }
});

test("more than a document may hold is refused when it is made", () => {
  const volumes = Array.from({ length: 1000 }, (_, index) => ({
    number: index + 1,
    id: "i".repeat(1000),
    name: "n".repeat(1000),
    sizeBytes: 4096,
  }));
  expect(() => encodeGroupDocument({ ...document, volumes })).toThrow("too long");
});
