import { expect, test } from "vitest";
import { addressOf, segmentOf, slotOf, slotsPerSegment } from "#src/records/address.ts";
import { FileMarkScratch } from "#src/store/mark-scratch.ts";
import { marksPerSegmentBytes, SlotMarks } from "#src/store/slot-marks.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { Simulation } from "#test/sim/simulation.ts";

function scratch(): FileMarkScratch {
  const { files } = new Simulation(1).host("a");
  files.makeFolder("/index");
  return new FileMarkScratch(files, "/index");
}

test("whatever is marked is found again, however little memory there is, and nothing else is", () => {
  for (const pages of [1, 3, 100]) {
    const random = new SeededRandom(pages);
    const marks = new SlotMarks(pages * marksPerSegmentBytes, scratch());
    const expected = new Set<number>();
    for (let turn = 0; turn < 200; turn++) {
      const first = addressOf(1 + random.integerBelow(8), random.integerBelow(slotsPerSegment));
      const count = 1 + random.integerBelow(40);
      marks.mark(first, count);
      for (let address = first; address < first + count; address++) expected.add(address);
    }
    let found = 0;
    for (let segment = 1; segment <= 9; segment++) {
      expect(marks.isAny(segment)).toBe([...expected].some((address) => segmentOf(address) === segment));
      for (let slot = 0; slot < slotsPerSegment; slot++) if (marks.has(segment, slot)) found++;
    }
    expect(found).toBe(expected.size);
    for (const address of expected) expect(marks.has(segmentOf(address), slotOf(address))).toBe(true);
    const counted = [1, 2, 3, 4, 5, 6, 7, 8, 9].reduce((sum, segment) => sum + marks.countIn(segment), 0);
    expect(counted).toBe(expected.size);
    marks.close();
  }
});

test("a run goes on in the next segments", () => {
  const marks = new SlotMarks(marksPerSegmentBytes, scratch());
  marks.mark(addressOf(1, slotsPerSegment - 1), slotsPerSegment + 2);
  expect([1, 2, 3, 4].map((segment) => marks.countIn(segment))).toEqual([1, slotsPerSegment, 1, 0]);
});

test("what a collection writes beside its memory goes with it", () => {
  const { files } = new Simulation(1).host("a");
  files.makeFolder("/index");
  const marks = new SlotMarks(marksPerSegmentBytes, new FileMarkScratch(files, "/index"));
  for (let segment = 1; segment < 5; segment++) marks.mark(addressOf(segment, segment), 1);
  expect(files.list("/index")).toEqual([]);
  expect([1, 2, 3, 4].map((segment) => marks.has(segment, segment))).toEqual([true, true, true, true]);
  marks.close();
});
