/** What a finding says to people: which points and blocks it costs, why it is still there, and what they can do. */
import { describe, expect, test } from "vitest";
import { slotsPerSegment } from "#src/records/address.ts";
import {
  type AffectedBlocks,
  type DamagedThing,
  damagedThings,
  type FindingNames,
  findingLine,
  isReadingHurt,
  isRemnant,
  obstacleOfAbsentDisk,
  obstacleOfLostSums,
  obstacleTo,
  type ScrubFinding,
} from "#src/store/scrub-finding.ts";

const group = "00112233445566778899aabbccddeeff";
const names: FindingNames = { group: () => "mail", volume: (_group, number) => (number === 3 ? "disk" : undefined) };
const place: AffectedBlocks = { group, volume: 3, startBlock: 100, blockCount: 4, fromSeq: 17, fromMicros: 0 };
const overwritten: AffectedBlocks = { ...place, untilSeq: 20, untilMicros: 1_000_000 };

function line(more: Partial<ScrubFinding>, called?: FindingNames): string {
  const finding = "its checksum does not fit";
  const blank = { object: "segments/x", thing: "frames", finding, count: 1, slots: [], foundMicros: 5 } as const;
  return findingLine({ ...blank, obstacle: "no second copy of it is known", ...more }, called);
}

const begin = "segments/x: frames: its checksum does not fit";
const end = "not repaired: no second copy of it is known";

test("blocks that no volume has any more have no way out, and are told with their times", () => {
  const blocks = "blocks 100+4 from 17 (1970-01-01T00:00:00.000Z) to before 20 (1970-01-01T00:00:01.000Z)";
  const told = line({ slots: [{ slot: 4, count: 4 }], affected: [overwritten] }, names);
  expect(told).toBe(`${begin}; slots 4-7; cannot be read: volume disk of group mail ${blocks}; ${end}`);
});

test("blocks that a volume still has come back from its source, by the name that people know", () => {
  const slots = [
    { slot: 4, count: 1 },
    { slot: 9, count: 2 },
  ];
  const blocks = "blocks 100+4 from 17 (1970-01-01T00:00:00.000Z) on";
  const way = (name: string) =>
    `where the source still has it: tidemark volume resync ${name}, and then tidemark scrub`;
  expect(line({ slots, affected: [place] }, names)).toBe(
    `${begin}; slots 4,9-10; cannot be read: volume disk of group mail ${blocks}; ${end}; ${way("disk")}`,
  );
  expect(line({ slots, affected: [place] })).toBe(
    `${begin}; slots 4,9-10; cannot be read: volume 3 of group ${group} ${blocks}; ${end}; ${way("NAME")}`,
  );
});

test("whom it hurts may be nobody, more than are told, or not known", () => {
  const slots = [{ slot: 0, count: slotsPerSegment }];
  expect(line({ slots, affected: [] })).toBe(`${begin}; all slots; nothing that is kept needs it; ${end}`);
  expect(line({ slots, affected: [], isAffectedCut: true })).toContain("; it cannot be told what needs it; ");
  expect(line({ slots, affected: [overwritten], isAffectedCut: true })).toMatch(/Z\), and perhaps more; not repaired/);
  expect(line({ slots, affected: [overwritten], isAffectedCut: true })).toContain("volume resync NAME");
  expect(line({ slots })).toContain("volume resync NAME");
});

test("a disk that does not give it now may give it later: nobody is told to copy anew", () => {
  const told = line({ slots: [{ slot: 1, count: 1 }], affected: [place], obstacle: obstacleOfAbsentDisk });
  expect(told).toMatch(/not repaired: the disk does not give all of it now: it is tried again in the next round$/);
});

test("fault 18: blocks that nothing can be told to be a copy of are said to stay lost, and what is whole after a resync", () => {
  const slots = [{ slot: 1, count: 1 }];
  const told = line({ thing: "sealed", slots, affected: [place], obstacle: obstacleOfLostSums }, names);
  expect(told).toMatch(
    /; not repaired: their checksums are lost with them, .*; for points from then on, .*resync disk$/,
  );
});

test("records of a piece are told by their numbers, which may be open to the end", () => {
  const piece = { object: "pieces/x", thing: "records" } as const;
  expect(line({ ...piece, seqs: { first: 1, last: 8 } })).toContain("; records 1 to 8; ");
  expect(line({ ...piece, seqs: { first: 9, last: Number.MAX_SAFE_INTEGER } })).toContain("; records from 9 on; ");
});

test("points that a snapshot costs are told, and that nothing else needs it is not", () => {
  const snapshot = { object: `snapshots/${group}/17`, thing: "parts", affected: [] } as const;
  const only = line({ ...snapshot, seqs: { first: 17, last: 17 } }, names);
  expect(only).toContain("; the point of record 17 of group mail cannot be opened, whatever the volume; not repaired");
  const all = line({ ...snapshot, seqs: { first: 17, last: Number.MAX_SAFE_INTEGER } });
  expect(all).toContain(`; points from record 17 on of group ${group} cannot be opened, whatever the volume; not`);
});

test("marked blocks are counted in words, and damage that hurts no reading names nobody", () => {
  expect(line({ thing: "sealed", count: 3, slots: [{ slot: 1, count: 3 }] })).toMatch(
    /^segments\/x: blocks that are marked as damaged \(3\): its checksum does not fit; slots 1-3; /,
  );
  const fingerprints = line({ thing: "fingerprints", slots: [{ slot: 1, count: 1 }], affected: [place] }, names);
  expect(fingerprints).toBe(`segments/x: fingerprints: its checksum does not fit; slots 1; ${end}`);
});

describe("each thing that may be damaged", () => {
  test("has a reason why it still is, in one line", () => {
    for (const thing of damagedThings) expect(obstacleTo(thing)).toMatch(/^[a-z][^\n.]+$/);
    const ofBits = damagedThings.filter((thing) => obstacleTo(thing).startsWith("it is more than one bit"));
    const bits: DamagedThing[] = ["header", "footer", "table", "slots", "fingerprints", "records", "extents", "parts"];
    expect(ofBits).toEqual([...bits, "document"]);
  });

  test("hurts reading, but fingerprints and documents", () => {
    const harmless = damagedThings.filter((thing) => !isReadingHurt({ thing }));
    expect(harmless).toEqual(["fingerprints", "document"]);
  });
});

test("a remnant of a crash is a marked block of which it is known that nothing needs it", () => {
  const finding = { object: "segments/x", finding: "", count: 1, slots: [], foundMicros: 5, obstacle: "" };
  expect(isRemnant({ ...finding, thing: "sealed", affected: [] })).toBe(true);
  expect(isRemnant({ ...finding, thing: "sealed", affected: [], isAffectedCut: true })).toBe(false);
  expect(isRemnant({ ...finding, thing: "sealed", affected: [overwritten] })).toBe(false);
  expect(isRemnant({ ...finding, thing: "sealed" })).toBe(false);
  expect(isRemnant({ ...finding, thing: "frames", affected: [] })).toBe(false);
});
