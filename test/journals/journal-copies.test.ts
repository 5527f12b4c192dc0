/** What the files of open journals still have of blocks that the store has lost. */
import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { JournalCopies } from "#src/journals/journal-copies.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { encodeSumsHeader, putSum, sumPosition } from "#src/journals/sums-format.ts";
import { addressOf } from "#src/records/address.ts";
import { anyCopies, type LostBlock } from "#src/store/second-copies.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { blockOf } from "./scrub-world.ts";

const segment = 9;
const volume = 3;

function lostBlock(slot: number, content: number): LostBlock {
  const checksum = Buffer.alloc(8);
  putChecksum(blockOf(content), 0, blockBytes, checksum, 0);
  return { address: addressOf(segment, slot), volume, checksum };
}

/** The files of a segment with one block in slot 2, in the second of two groups' folders. */
function written() {
  const host = new Simulation(1).host("a");
  const folders = [new JournalFolder("/one"), new JournalFolder("/two")];
  for (const folder of folders) folder.makeNow(host.files);
  const folder = folders[1] as JournalFolder;
  const data = host.files.create(folder.dataPath(segment));
  data.writeNow(blockOf(5), 0, blockBytes, 2 * blockBytes);
  const sums = host.files.create(folder.sumsPath(segment));
  const header = encodeSumsHeader({ group: "0".repeat(32), segment, level: 0 });
  sums.writeNow(header, 0, header.length, 0);
  const { checksum, address } = lostBlock(2, 5);
  const sum = Buffer.alloc(16);
  putSum(sum, 0, checksum, 0, volume, address);
  sums.writeNow(sum, 0, sum.length, sumPosition(2));
  return { host, folders, data, copies: new JournalCopies(host.files, () => folders) };
}

test("a block whose files are still there is found by its address", async () => {
  const { copies } = written();
  const target = Buffer.alloc(blockBytes);
  expect(await copies.read(lostBlock(2, 5), target)).toBe(true);
  expect(target.equals(blockOf(5))).toBe(true);
});

test("nothing else is: another slot, volume or content, another segment, or a block that is damaged there too", async () => {
  const { copies, data } = written();
  const target = Buffer.alloc(blockBytes);
  const lost = lostBlock(2, 5);
  expect(await copies.read({ ...lost, address: lost.address + 1 }, target)).toBe(false);
  expect(await copies.read({ ...lost, volume: 4 }, target)).toBe(false);
  expect(await copies.read(lostBlock(2, 6), target)).toBe(false);
  expect(await copies.read({ ...lost, address: addressOf(10, 2) }, target)).toBe(false);
  data.writeNow(Buffer.from([1]), 0, 1, 2 * blockBytes + 77);
  expect(await copies.read(lost, target)).toBe(false);
});

test("files that go while they are looked for are not there", async () => {
  for (const gone of ["data", "sums"]) {
    const { host, folders } = written();
    const open: typeof host.files.open = (path, mode) => {
      if (path.endsWith(gone)) host.files.remove(path);
      return host.files.open(path, mode);
    };
    const files = { exists: host.files.exists.bind(host.files), open } as typeof host.files;
    const copies = new JournalCopies(files, () => folders);
    expect(await copies.read(lostBlock(2, 5), Buffer.alloc(blockBytes))).toBe(false);
  }
});

test("one place is asked after the other", async () => {
  const { copies } = written();
  const target = Buffer.alloc(blockBytes);
  const nowhere = { read: async () => false };
  expect(await anyCopies([nowhere, copies]).read(lostBlock(2, 5), target)).toBe(true);
  expect(await anyCopies([nowhere]).read(lostBlock(2, 5), target)).toBe(false);
});
