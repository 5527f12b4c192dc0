import { expect, test } from "vitest";
import { RetryError } from "#src/core/errors.ts";
import { MiB } from "#src/core/limits.ts";
import { addressOf, segmentOf, slotOf, slotsPerSegment } from "#src/records/address.ts";
import { FolderReserve } from "#src/store/folder-reserve.ts";
import { FileMarkScratch } from "#src/store/mark-scratch.ts";
import { marksDiskBytes, marksPerSegmentBytes, SlotMarks } from "#src/store/slot-marks.ts";
import { noReserve } from "#src/store/space-reserve.ts";
import { driven } from "#test/contract/driver.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

function scratch(): FileMarkScratch {
  const { files } = new Simulation(1).host("a");
  files.makeFolder("/index");
  return new FileMarkScratch(files, "/index", noReserve);
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
  const marks = new SlotMarks(marksPerSegmentBytes, new FileMarkScratch(files, "/index", noReserve));
  for (let segment = 1; segment < 5; segment++) marks.mark(addressOf(segment, segment), 1);
  expect(files.list("/index")).toEqual([]);
  expect([1, 2, 3, 4].map((segment) => marks.has(segment, segment))).toEqual([true, true, true, true]);
  marks.close();
});

/** Memory for the marks of one segment, beside a reserve; with two disks the index is not where the reserve is. */
async function besideReserve(disks: 1 | 2) {
  const simulation = new Simulation(1);
  const host = simulation.host("a");
  const { files, randomness, log } = host;
  if (disks === 1) files.makeFolder("/index");
  const indexDisk = disks === 2 ? host.mount("/index") : host.disk;
  files.makeFolder("/store");
  const reserve = new FolderReserve({ files, randomness, log, folder: "/store", byteLength: () => 2 * MiB });
  await driven(simDriver(simulation.clock), reserve.refill());
  const marks = new SlotMarks(marksPerSegmentBytes, new FileMarkScratch(files, "/index", reserve));
  return { host, indexDisk, reserve, marks };
}

const segmentCount = 20;

/** Twice, so that what was put away is changed and put away again. */
function markAll(marks: SlotMarks): void {
  for (const slot of [1, 9]) {
    for (let segment = 1; segment <= segmentCount; segment++) marks.mark(addressOf(segment, slot * segment), 3);
  }
}

function expectAll(marks: SlotMarks): void {
  for (let segment = 1; segment <= segmentCount; segment++) {
    expect(marks.countIn(segment)).toBe(6);
    expect(marks.has(segment, segment) && marks.has(segment, 9 * segment + 2)).toBe(true);
  }
}

test("fault 16: marks go on by the reserve wherever the disk becomes full, and it is had again when they go", async () => {
  for (let pages = 0; pages <= segmentCount; pages += 4) {
    const { host, reserve, marks } = await besideReserve(1);
    const freeBytes = pages * marksPerSegmentBytes;
    host.disk.faults.capacityBytes = host.disk.spaceBytes + freeBytes;
    markAll(marks);
    expectAll(marks);
    expect(reserve.heldBytes).toBe((pages < segmentCount - 1 ? 1 : 2) * MiB);
    marks.close();
    expect(host.disk.spaceBytes).toBe(reserve.heldBytes);
  }
});

test("fault 16: where the disk of the index is full and another one has the objects, marks go there", async () => {
  const { host, indexDisk, reserve, marks } = await besideReserve(2);
  indexDisk.faults.capacityBytes = indexDisk.spaceBytes + 3 * marksPerSegmentBytes;
  markAll(marks);
  expectAll(marks);
  expect(reserve.heldBytes).toBe(2 * MiB);
  host.disk.faults.capacityBytes = host.disk.spaceBytes;
  for (let segment = 100; segment < 100 + 257; segment++) marks.mark(addressOf(segment, 0), 1);
  expect(reserve.heldBytes).toBe(0);
  expect(() => marks.mark(addressOf(99, 0), 1)).toThrow(RetryError);
});

test("marks need no disk up to 1 TiB of blocks, and two pages for each segment from there on", () => {
  expect([4096, 4097, 37_000].map((count) => marksDiskBytes(count))).toEqual([0, 4097 * 16_384, 37_000 * 16_384]);
});
