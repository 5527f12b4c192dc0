import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { ClosedSegmentFiles } from "#src/journals/closed-segment.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { encodeSumsHeader, putSum, sumBytes, sumPosition, sumsHeaderBytes } from "#src/journals/sums-format.ts";
import { addressOf } from "#src/records/address.ts";
import { blockState, SlotRun } from "#src/store/slot-run.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

const group = "a".repeat(32);
const folder = new JournalFolder("/g");
const volume = 4;

/** Two blocks and their sums; with `headerOf` another header than the one that belongs there. */
function writtenSegment(header: Buffer): SimHost {
  const host = new Simulation(1).host("a");
  folder.makeNow(host.files);
  const blocks = Buffer.alloc(2 * blockBytes, "x");
  const sums = Buffer.alloc(sumPosition(2));
  header.copy(sums);
  const checksum = Buffer.alloc(8);
  putChecksum(blocks, 0, blockBytes, checksum, 0);
  for (const slot of [0, 1]) putSum(sums, sumsHeaderBytes + slot * sumBytes, checksum, 0, volume, addressOf(7, slot));
  for (const [path, bytes] of [
    [folder.dataPath(7), blocks],
    [folder.sumsPath(7), sums],
  ] as const) {
    const handle = host.files.create(path);
    handle.writeNow(bytes, 0, bytes.length, 0);
    handle.close();
  }
  return host;
}

function statesOf(host: SimHost): number[] {
  const segment = new ClosedSegmentFiles({ files: host.files, folder, group, segment: 7 });
  const run = new SlotRun();
  segment.read(0, segment.slotCount, run);
  const states = [...run.states.subarray(0, segment.slotCount)];
  segment.close();
  return states;
}

test("blocks are sound that are what their sums say", () => {
  const host = writtenSegment(encodeSumsHeader({ group, segment: 7, level: 0 }));
  expect(statesOf(host)).toEqual([blockState.sound, blockState.sound]);
  host.disk.fileAt(folder.dataPath(7)).flipBit(blockBytes, 3);
  expect(statesOf(host)).toEqual([blockState.sound, blockState.damaged]);
});

test("fault 18: sums with a damaged beginning are read as what there is of them", () => {
  const states = statesOf(writtenSegment(Buffer.alloc(sumsHeaderBytes, 1)));
  expect(states).toEqual([blockState.sound, blockState.sound]);
});

test("fault 4: sums that a loss of power left without their beginning are read as what there is of them", () => {
  expect(statesOf(writtenSegment(Buffer.alloc(sumsHeaderBytes)))).toEqual([blockState.sound, blockState.sound]);
  const host = new Simulation(1).host("a");
  folder.makeNow(host.files);
  const sums = host.files.create(folder.sumsPath(7));
  sums.truncateNow(sumPosition(3));
  sums.close();
  expect(statesOf(host)).toEqual([blockState.none, blockState.none, blockState.none]);
});

test("sums of another segment are no reason to remove anything", () => {
  expect(() => statesOf(writtenSegment(encodeSumsHeader({ group, segment: 8, level: 0 })))).toThrow("another segment");
});
