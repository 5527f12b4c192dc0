/** What the scrub notes: its bytes, for ever, its bounds, and what comes of damage to it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { StopError } from "#src/core/errors.ts";
import { storeDocumentBytesMax } from "#src/core/store-limits.ts";
import {
  decodeScrubNotes,
  encodeScrubNotes,
  noScrubNotes,
  type ScrubNotes,
  scrubDocumentName,
} from "#src/store/scrub-document.ts";
import type { ScrubFinding } from "#src/store/scrub-finding.ts";
import { ScrubNotebook } from "#src/store/scrub-notebook.ts";
import { FlippableStore } from "./flippable-store.ts";
import { rememberingLog } from "./remembering-log.ts";

const group = "00112233445566778899aabbccddeeff";
const golden = readFileSync(new URL("../golden/scrub-notes-v1.bin", import.meta.url));
const finding: ScrubFinding = {
  object: "segments/000000000005.0000",
  thing: "frames",
  finding: "its checksum does not fit",
  count: 1,
  slots: [{ slot: 4, count: 4 }],
  foundMicros: 1_700_000_000_000_000,
  affected: [
    {
      group,
      volume: 3,
      startBlock: 100,
      blockCount: 4,
      fromSeq: 17,
      fromMicros: 1_600_000_000_000_000,
      untilSeq: 20,
      untilMicros: 1_600_000_000_000_500,
    },
  ],
  isAffectedCut: false,
  obstacle: "no second copy of it is known",
};
const counted = { begunMicros: 1_700_000_000_000_000, objectCount: 12, checkedBytes: 3_000_000, repairedCount: 1 };
const notes: ScrubNotes = {
  round: { number: 2, position: "segments/000000000005.0000", ...counted },
  last: { number: 1, endedMicros: 1_700_000_000_000_001, ...counted },
  heads: [{ group, firstSeq: 9, lastSeq: 30, hash: "ab".repeat(32) }],
  findings: [
    finding,
    {
      object: "pieces/x",
      thing: "records",
      finding: "it is not all there",
      count: 1,
      slots: [],
      seqs: { first: 1, last: 8 },
      foundMicros: 5,
      obstacle: "nothing",
    },
  ],
  lost: [{ address: 327_684, fingerprint: "cd".repeat(32) }],
  unlistedCount: 0,
};

test("the notes have the bytes that they always had", () => {
  expect(encodeScrubNotes(notes).toString()).toBe(golden.toString());
  expect(decodeScrubNotes(golden)).toEqual(notes);
});

async function opened(store: FlippableStore, warnings: string[] = []): Promise<ScrubNotebook> {
  return await ScrubNotebook.open(store, rememberingLog(warnings));
}

test("a bit that was turned in them is turned back, and where it was more they begin anew", async () => {
  const store = new FlippableStore();
  store.bytes.set(scrubDocumentName, Buffer.from(golden));
  store.flip(scrubDocumentName, 1003);
  const warnings: string[] = [];
  expect((await opened(store, warnings)).notes).toEqual(notes);
  store.flip(scrubDocumentName, 2005);
  expect((await opened(store, warnings)).notes).toEqual(noScrubNotes);
  expect(warnings).toHaveLength(2);
});

test("however much is found, the notes are bounded, and say how much more there is", async () => {
  const store = new FlippableStore();
  const notebook = await opened(store);
  const affected = Array.from({ length: 200 }, (_, index) => ({ ...finding.affected?.[0], startBlock: index * 10 }));
  const slots = Array.from({ length: 2000 }, (_, index) => ({ slot: index * 7, count: 2 }));
  for (let number = 0; number < 600; number++) {
    const object = `segments/${String(number).padStart(12, "0")}.0000`;
    notebook.found(object, [{ ...finding, object, slots, affected: affected as never, finding: "x".repeat(1000) }]);
  }
  await notebook.save();
  expect(store.bytes.get(scrubDocumentName)?.length).toBeLessThanOrEqual(storeDocumentBytesMax);
  const again = await opened(store);
  expect(again.notes).toMatchObject({ unlistedCount: 88 });
  expect(again.notes.findings).toHaveLength(512);
  // What is told is more than is so, and never less.
  expect(again.notes.findings[0]?.slots[0]).toMatchObject({ slot: 0 });
  expect(again.notes.findings[0]?.slots.at(-1)).toMatchObject({});
  for (let number = 0; number < 600; number++) notebook.found(`segments/${String(number).padStart(12, "0")}.0000`, []);
  expect(notebook.notes.findings).toEqual([]);
});

test("since when something is damaged stays as it is while it is found again", async () => {
  const notebook = await opened(new FlippableStore());
  notebook.found(finding.object, [finding]);
  const { affected: _, isAffectedCut: __, ...again } = finding;
  notebook.found(finding.object, [{ ...again, foundMicros: 1_800_000_000_000_000 }]);
  expect(notebook.notes.findings).toEqual([finding]);
});

test("notes that somebody else has changed meanwhile are written nevertheless: only an answer was lost", async () => {
  const store = new FlippableStore();
  const [notebook, other] = [await opened(store), await opened(store)];
  notebook.found(finding.object, [finding]);
  await notebook.save();
  await other.save();
  await notebook.save();
  expect((await opened(store)).notes.findings).toEqual([finding]);
});

test("notes that the disk does not give stop nobody", async () => {
  const failing = {
    readDocument: () => Promise.reject(new StopError("the disk does not give it (simulated)")),
    changeDocument: () => Promise.reject(new StopError("the disk does not give it (simulated)")),
  };
  const warnings: string[] = [];
  const notebook = await ScrubNotebook.open(failing, rememberingLog(warnings));
  notebook.found(finding.object, [finding]);
  await notebook.save();
  expect(notebook.notes.findings).toEqual([finding]);
  expect(warnings).toHaveLength(2);
});
