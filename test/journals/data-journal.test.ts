import { expect, test } from "vitest";
import { blockBytes, MiB } from "#src/core/limits.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { DataJournal } from "#src/journals/data-journal.ts";
import { DirtyFiles } from "#src/journals/dirty-files.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { addressOf, slotsPerSegment } from "#src/records/address.ts";
import { batchMagic, batchRecords, getBatchHeader } from "#src/records/batch.ts";
import { wireBatch } from "./wire-batch.ts";

/** Files that keep nothing but what was asked of them: a segment is large. */
function countingFiles() {
  const writes: { readonly path: string; readonly position: number; readonly lengthBytes: number }[] = [];
  const open = new Set<string>();
  const handle = (path: string): FileHandle => {
    open.add(path);
    return {
      path,
      writeNow: (_, __, lengthBytes, position) => writes.push({ path, position, lengthBytes }),
      writevNow: (pieces, position) => {
        writes.push({ path, position, lengthBytes: Buffer.concat(pieces).length });
      },
      sync: (done) => queueMicrotask(() => done(null)),
      close: () => open.delete(path),
    } as Partial<FileHandle> as FileHandle;
  };
  const files = {
    create: handle,
    open: handle,
    syncFolder: (_, done) => queueMicrotask(() => done(null)),
  } as Partial<Files> as Files;
  return { files, writes, open };
}

function journalOver(files: Files, segments: number[], slotsMax = slotsPerSegment) {
  const dirty = new DirtyFiles(files);
  const folder = new JournalFolder("/g");
  const closedSegments: { readonly segment: number; readonly slotCount: number }[] = [];
  const journal = new DataJournal({
    files,
    folder,
    group: "a".repeat(32),
    dirty,
    slotsMax,
    takeSegment: () => segments.shift(),
    closed: (segment, slotCount) => closedSegments.push({ segment, slotCount }),
  });
  return { journal, dirty, folder, closedSegments };
}

/** A batch of writes of so many blocks each, with its records. */
function batchOf(...blockCounts: number[]) {
  const bytes = wireBatch(
    { firstSeq: 1 },
    blockCounts.map((blockCount) => ({ blockCount })),
  );
  const header = getBatchHeader(bytes, 0, batchMagic.records);
  if (header === undefined) return expect.unreachable("a batch has a header");
  return { bytes, records: batchRecords(bytes, 0, header) ?? [] };
}

test("the payloads of several batches land with one write, and their sums with another", () => {
  const { files, writes } = countingFiles();
  const { journal, folder } = journalOver(files, [5]);
  const { bytes, records } = batchOf(1, 3, 2);
  const addresses = journal.land(bytes, records);
  const next = batchOf(4);
  expect(journal.land(next.bytes, next.records)).toEqual([addressOf(5, 6)]);
  expect(writes.filter(({ path }) => path === folder.dataPath(5))).toEqual([]);
  journal.writePayloads();
  journal.writeSums();
  expect(addresses).toEqual([addressOf(5, 0), addressOf(5, 1), addressOf(5, 4)]);
  expect(writes).toEqual([
    { path: folder.sumsPath(5), position: 0, lengthBytes: 512 },
    { path: folder.dataPath(5), position: 0, lengthBytes: 10 * blockBytes },
    { path: folder.sumsPath(5), position: 512, lengthBytes: 10 * 16 },
  ]);
});

test("a record that does not fit begins the next segment, and is never split", async () => {
  const { files, writes, open } = countingFiles();
  const { journal, dirty, folder } = journalOver(files, [5, 9]);
  const large = batchOf(255);
  for (let count = 0; count < 257; count++) {
    journal.land(large.bytes, large.records);
    journal.writePayloads();
  }
  expect(slotsPerSegment - 257 * 255).toBe(1);
  const mixed = batchOf(1, 2, 3);
  expect(journal.land(mixed.bytes, mixed.records)).toEqual([addressOf(5, 65_535), addressOf(9, 0), addressOf(9, 2)]);
  journal.writeSums();
  const data = writes.filter(({ path }) => path.endsWith(".data")).slice(-2);
  expect(data).toEqual([
    { path: folder.dataPath(5), position: 256 * MiB - blockBytes, lengthBytes: blockBytes },
    { path: folder.dataPath(9), position: 0, lengthBytes: 5 * blockBytes },
  ]);
  const sums = writes.filter(({ path, position }) => path === folder.sumsPath(5) && position > 0);
  expect(sums.reduce((sum, write) => sum + write.lengthBytes, 0)).toBe(slotsPerSegment * 16);
  // The full segment's files are closed when they are durable.
  expect(open.has(folder.dataPath(5))).toBe(true);
  await new Promise<void>((resolve) => {
    dirty.sync(() => resolve());
  });
  expect([...open].sort()).toEqual([folder.dataPath(9), folder.sumsPath(9)]);
});

test("segments may be smaller than a number of theirs allows", () => {
  const { files } = countingFiles();
  const { journal, closedSegments } = journalOver(files, [5, 9], 300);
  const { bytes, records } = batchOf(255);
  expect([...journal.land(bytes, records), ...journal.land(bytes, records)]).toEqual([
    addressOf(5, 0),
    addressOf(9, 0),
  ]);
  expect(closedSegments).toEqual([{ segment: 5, slotCount: 255 }]);
  expect(() => journalOver(files, [], 255)).toThrow("a largest record fits");
});

test("a segment is closed when it is full, or when that is wanted, and no slot of it is given again", () => {
  const { files } = countingFiles();
  const { journal, closedSegments } = journalOver(files, [5, 9, 11]);
  const { bytes, records } = batchOf(255);
  for (let count = 0; count < 258; count++) {
    journal.land(bytes, records);
    journal.writePayloads();
  }
  expect(closedSegments).toEqual([{ segment: 5, slotCount: 257 * 255 }]);
  journal.closeSegment();
  journal.closeSegment();
  expect(closedSegments.slice(1)).toEqual([{ segment: 9, slotCount: 255 }]);
  expect(journal.hasOpenSegment).toBe(false);
  expect(journal.land(bytes, records)).toEqual([addressOf(11, 0)]);
});

test("records without a payload take no place and no file", () => {
  const { files, writes } = countingFiles();
  const { journal } = journalOver(files, []);
  const bytes = wireBatch({ firstSeq: 1 }, [{ type: 4, blockCount: 0 }]);
  const header = getBatchHeader(bytes, 0, batchMagic.records);
  if (header === undefined) return expect.unreachable("a batch has a header");
  expect(journal.land(bytes, batchRecords(bytes, 0, header) ?? [])).toEqual([0]);
  expect(writes).toEqual([]);
});

test("without a number for a new segment nothing lands", () => {
  const { files, writes } = countingFiles();
  const { journal } = journalOver(files, []);
  const { bytes, records } = batchOf(1);
  expect(() => journal.land(bytes, records)).toThrow(expect.objectContaining({ name: "RetryError" }));
  expect(writes).toEqual([]);
});
