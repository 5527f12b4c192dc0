/** Small durable documents, and one bit of them that was turned. */
import { expect, test } from "vitest";
import { encodeDocument, readDocument, readMendedDocument } from "#src/host/document.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

const path = "/a.json";
const kind = { format: "tidemark-test", version: 1 } as const;
const content = { name: "disk", seq: 17, isNew: false, volumes: [{ number: 1 }], why: null };

function hostWith(bytes: Buffer): SimHost {
  const host = new Simulation(1).host("a");
  const file = host.files.create(path);
  file.writeNow(bytes, 0, bytes.length, 0);
  file.close();
  return host;
}

function turned(bytes: Buffer, ...bits: readonly number[]): Buffer {
  const copy = Buffer.from(bytes);
  for (const bit of bits) copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

function mended(bytes: Buffer) {
  return readMendedDocument(hostWith(bytes).files, path, kind);
}

test("fault 18: whichever bit of a document was turned, it is turned back where that is asked for, and nowhere else", () => {
  const bytes = encodeDocument(kind, content);
  expect(mended(bytes)).toEqual({ content, isMended: false });
  // All places in a byte have their turn.
  for (let bit = 0; bit < bytes.length * 8; bit += 53) {
    const harmed = turned(bytes, bit);
    expect(mended(harmed), `bit ${bit}`).toEqual({ content, isMended: true });
    expect(() => readDocument(hostWith(harmed).files, path, kind), `bit ${bit}`).toThrow("is damaged");
  }
});

test("fault 18: a document with two turned bits is damaged, and so is a large one with one", () => {
  const bytes = encodeDocument(kind, content);
  expect(() => mended(turned(bytes, 300, 900))).toThrow("/a.json is damaged");
  const large = encodeDocument(kind, { text: "x".repeat(10_000) });
  expect(() => mended(turned(large, 40_000))).toThrow("/a.json is damaged");
});

test("a document of a later version is none of which a bit was turned, and one of another kind is damaged", () => {
  expect(() => mended(encodeDocument({ ...kind, version: 3 }, content))).toThrow("use the program that wrote it");
  expect(() => mended(encodeDocument({ ...kind, format: "tidemark-other" }, content))).toThrow("is damaged");
  expect(readMendedDocument(new Simulation(1).host("a").files, path, kind)).toBeUndefined();
});
