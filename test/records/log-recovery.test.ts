import { expect, test } from "vitest";
import { batchBytesMax, blockBytes, KiB } from "#src/core/limits.ts";
import { batchMagic } from "#src/records/batch.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import { inspectRecords } from "#src/records/batch-inspection.ts";
import { type LogEnd, type LogScan, recoverLog } from "#src/records/log-recovery.ts";
import type { LogPart } from "#src/records/log-window.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";

const fileBytes = 16 * KiB;
const incarnation = 77;
/** One write of a block. */
const writeSpanBytes = 4608;

interface Batch {
  readonly position: number;
  readonly firstSeq: number;
  readonly epoch?: number;
  readonly durableSeq?: number;
  readonly incarnation?: number;
  readonly previous?: { readonly previousEpoch: number; readonly previousLastSeq: number };
}

/** A log in memory, of files that are full of zeros until something is put there. */
class Log {
  readonly files = [0, 1, 2, 3].map(() => Buffer.alloc(fileBytes));
  readonly #builder = new BatchBuilder();
  readonly #buffer = Buffer.alloc(batchBytesMax);

  put({ position, firstSeq, previous, ...rest }: Batch): this {
    this.#builder.begin(this.#buffer, 0);
    const record = { volume: 0, startBlock: firstSeq, blockCount: 0, ordinal: firstSeq };
    if (previous !== undefined) this.#builder.add({ ...record, type: recordType.epoch }, encodeExtra(previous));
    const write = { ...record, type: recordType.write, blockCount: 1 };
    if (previous === undefined) this.#builder.addWrite(write, Buffer.alloc(blockBytes, firstSeq), 0);
    const place = { epoch: 1, durableSeq: 0, incarnation, timeMicros: 1, ...rest };
    const spanBytes = this.#builder.finish({ ...place, firstSeq, position });
    const file = this.files[Math.floor(position / fileBytes)] as Buffer;
    this.#buffer.copy(file, position % fileBytes, 0, spanBytes);
    return this;
  }

  /** Writes 1 to n, each in the batch of its own: three per file. */
  fill(count: number, durable: (seq: number) => number = () => 0): this {
    for (let seq = 1; seq <= count; seq++)
      this.put({ position: positionOf(seq), firstSeq: seq, durableSeq: durable(seq) });
    return this;
  }

  flip(position: number): this {
    const file = this.files[Math.floor(position / fileBytes)] as Buffer;
    file[position % fileBytes] = (file[position % fileBytes] as number) ^ 1;
    return this;
  }

  erase(position: number, lengthBytes: number): this {
    this.files[Math.floor(position / fileBytes)]?.fill(0, position % fileBytes, (position % fileBytes) + lengthBytes);
    return this;
  }

  end(scan: Partial<LogScan> = {}): LogEnd & { readonly seqs: number[]; readonly beyond: number[] } {
    const seqs: number[] = [];
    const beyond: number[] = [];
    const events = recoverLog({
      magic: batchMagic.records,
      incarnation,
      fileBytes,
      parts: this.files.map((file, index) => partOf(file, index * fileBytes, `/${index}`)),
      from: { position: 512, lastSeq: 0, lastEpoch: undefined },
      knownDurableSeq: 0,
      inspect: inspectRecords,
      ...scan,
    });
    for (;;) {
      const step = events.next();
      if (step.done === true) return { ...step.value, seqs, beyond };
      if (step.value.kind === "batch") seqs.push(step.value.header.firstSeq);
      if (step.value.kind === "beyond") beyond.push(step.value.header.firstSeq);
    }
  }
}

function partOf(file: Buffer, basePosition: number | undefined, path: string): LogPart {
  return {
    path,
    basePosition,
    sizeBytes: file.length,
    readNow: (buffer, start, lengthBytes, offset) => file.copy(buffer, start, offset, offset + lengthBytes),
  };
}

function positionOf(seq: number): number {
  return Math.floor((seq - 1) / 3) * fileBytes + 512 + ((seq - 1) % 3) * writeSpanBytes;
}

test("a log is followed over its files to its end", () => {
  const end = new Log().fill(8).end();
  expect(end.seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(end).toMatchObject({ decision: "end", found: "nothing", evidence: "none", path: "/2" });
  expect(end.place).toEqual({ position: positionOf(8) + writeSpanBytes, lastSeq: 8, lastEpoch: 1 });
});

test("a log that was never written to ends where it begins", () => {
  const end = new Log().end();
  expect(end).toMatchObject({ decision: "end", seqs: [], path: "/0", offset: 512 });
});

test("a scan may begin in the middle", () => {
  const end = new Log().fill(8).end({ from: { position: positionOf(4), lastSeq: 3, lastEpoch: 1 } });
  expect(end.seqs).toEqual([4, 5, 6, 7, 8]);
});

test("faults 2 and 11: each way to break the last batch makes it a tail", () => {
  const ways: [string, (log: Log) => unknown][] = [
    ["brokenHeader", (log) => log.flip(positionOf(5) + 20)],
    ["brokenHeads", (log) => log.flip(positionOf(5) + 64 + blockBytes + 3)],
    ["brokenPayload", (log) => log.flip(positionOf(5) + 64 + 3)],
    ["nothing", (log) => log.flip(positionOf(5))],
  ];
  for (const [found, breakIt] of ways) {
    const log = new Log().fill(5);
    breakIt(log);
    expect(log.end()).toMatchObject({ decision: found === "nothing" ? "end" : "tail", found, seqs: [1, 2, 3, 4] });
  }
});

test("whole batches behind a bad one are counted and dropped, where none of them says more", () => {
  const end = new Log()
    .fill(8, () => 3)
    .flip(positionOf(5) + 100)
    .end();
  expect(end).toMatchObject({ decision: "tail", evidence: "later", claimedSeq: 3, beyond: [5, 6, 7, 8] });
  expect([end.beyondRecordCount, end.beyondBytes]).toEqual([4, 4 * writeSpanBytes]);
});

test("fault 12: one batch anywhere behind that says it was durable makes it damage", () => {
  for (const teller of [6, 7, 8, 11, 12]) {
    const log = new Log().fill(12, (seq) => (seq === teller ? 5 : 4)).flip(positionOf(5) + 100);
    expect(log.end()).toMatchObject({ decision: "damage", evidence: "claimed", claimedSeq: 5 });
  }
  const log = new Log().fill(12, () => 4).flip(positionOf(5) + 100);
  expect(log.end()).toMatchObject({ decision: "tail", evidence: "later" });
});

test("fault 12: a batch that is gone is damage as well", () => {
  const log = new Log().fill(6, (seq) => seq - 1).erase(positionOf(2), writeSpanBytes);
  expect(log.end()).toMatchObject({ decision: "damage", found: "nothing", seqs: [1] });
});

test("what the caller knows counts as much as what the log says", () => {
  const log = new Log().fill(5);
  expect(log.end({ knownDurableSeq: 5 })).toMatchObject({ decision: "end" });
  expect(log.end({ knownDurableSeq: 6 })).toMatchObject({ decision: "damage", evidence: "known" });
  log.flip(positionOf(5) + 100);
  expect(log.end({ knownDurableSeq: 4 })).toMatchObject({ decision: "tail" });
  expect(log.end({ knownDurableSeq: 5 })).toMatchObject({ decision: "damage", evidence: "known" });
});

test("fault 19: a batch of another log, or of an earlier use of the file, is nothing", () => {
  const log = new Log().fill(3).put({ position: positionOf(4), firstSeq: 4, incarnation: 78, durableSeq: 3 });
  expect(log.end()).toMatchObject({ decision: "end", found: "nothing", seqs: [1, 2, 3], beyond: [] });
  const earlier = new Log().fill(6);
  earlier.files[1]?.copy(earlier.files[2] as Buffer);
  expect(earlier.end()).toMatchObject({ decision: "end", seqs: [1, 2, 3, 4, 5, 6], beyond: [] });
});

test("fault 19: a batch that was written for another place is nothing, even if it is the next one", () => {
  const log = new Log().fill(2).put({ position: 3 * fileBytes + 512, firstSeq: 3 });
  log.files[3]?.copy(log.files[0] as Buffer, positionOf(3), 512, 512 + writeSpanBytes);
  log.erase(3 * fileBytes + 512, writeSpanBytes);
  expect(log.end()).toMatchObject({ decision: "end", found: "nothing", seqs: [1, 2] });
});

test("a seq that does not follow ends the log", () => {
  for (const firstSeq of [6, 4, 1]) {
    const end = new Log()
      .fill(4)
      .put({ position: positionOf(5), firstSeq })
      .end();
    expect(end).toMatchObject({ decision: "tail", found: "gap", seqs: [1, 2, 3, 4] });
  }
  const claiming = new Log().fill(4).put({ position: positionOf(5), firstSeq: 6, durableSeq: 5 });
  expect(claiming.end()).toMatchObject({ decision: "damage", found: "gap" });
});

test("the first batch of the next file does not follow just because it is the first", () => {
  const end = new Log()
    .fill(3)
    .put({ position: positionOf(4), firstSeq: 5 })
    .end();
  expect(end).toMatchObject({ decision: "tail", evidence: "later", path: "/0", seqs: [1, 2, 3], beyond: [5] });
});

test("an epoch follows only with the record that says what it follows", () => {
  const position = positionOf(3);
  const begin = { position, firstSeq: 100, epoch: 2 };
  const decide = (batch: Batch) => new Log().fill(2).put(batch).end();
  expect(decide({ ...begin, previous: { previousEpoch: 1, previousLastSeq: 2 } }).seqs).toEqual([1, 2, 100]);
  const wrong = [
    { ...begin },
    { ...begin, firstSeq: 3 },
    { ...begin, previous: { previousEpoch: 1, previousLastSeq: 1 } },
    { ...begin, previous: { previousEpoch: 0, previousLastSeq: 2 } },
    { ...begin, epoch: 0, previous: { previousEpoch: 1, previousLastSeq: 2 } },
    { ...begin, firstSeq: 2, previous: { previousEpoch: 1, previousLastSeq: 2 } },
  ];
  expect(wrong.map((batch) => decide(batch).decision)).toEqual(wrong.map(() => "tail"));
  expect(wrong.map((batch) => decide(batch).found)).toEqual(["gap", ...new Array(5).fill("foreignEpoch")]);
});

test("where nobody knows the epoch before, any may be the first", () => {
  const log = new Log().put({ position: 512, firstSeq: 1, epoch: 9 });
  expect(log.end()).toMatchObject({ decision: "end", seqs: [1], place: { lastEpoch: 9 } });
  const jumped = new Log().put({
    position: 512,
    firstSeq: 50,
    epoch: 9,
    previous: { previousEpoch: 8, previousLastSeq: 0 },
  });
  expect(jumped.end()).toMatchObject({ decision: "end", seqs: [50] });
});

test("what lies in the rest of a file is nothing, if the log goes on in the next", () => {
  const log = new Log().fill(7);
  log.put({ position: positionOf(3) + writeSpanBytes, firstSeq: 99 });
  expect(log.end().seqs).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test("a log whose next file is missing has lost it, if anything tells so", () => {
  const log = new Log().fill(9, (seq) => (seq === 9 ? 6 : 0));
  const parts = [0, 2, 3].map((index) => partOf(log.files[index] as Buffer, index * fileBytes, `/${index}`));
  expect(log.end({ parts })).toMatchObject({ decision: "damage", seqs: [1, 2, 3] });
  const silent = new Log().fill(9);
  const silentParts = [0, 2, 3].map((index) => partOf(silent.files[index] as Buffer, index * fileBytes, `/${index}`));
  expect(silent.end({ parts: silentParts })).toMatchObject({ decision: "tail", evidence: "later", beyond: [7, 8, 9] });
});

test("a file whose header says nothing is searched all the same", () => {
  const log = new Log().fill(6, (seq) => (seq === 6 ? 4 : 0));
  const parts = log.files.map((file, index) => partOf(file, index === 1 ? undefined : index * fileBytes, `/${index}`));
  expect(log.end({ parts })).toMatchObject({ decision: "damage", evidence: "claimed", seqs: [1, 2, 3] });
});

test("fault 12: what cannot be read is no end, wherever it is", () => {
  const log = new Log().fill(5);
  for (const unreadable of [0, 1, 2, 3]) {
    const parts = log.files.map((file, index) => {
      const part = partOf(file, index * fileBytes, `/${index}`);
      const fail = (): number => {
        throw Object.assign(new Error("broken sector"), { code: "EIO" });
      };
      return index === unreadable ? { ...part, readNow: fail } : part;
    });
    expect(log.end({ parts })).toMatchObject({ decision: "damage", found: "unreadable", path: `/${unreadable}` });
  }
});
