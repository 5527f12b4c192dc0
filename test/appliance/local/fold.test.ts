/** Whether what is left of records makes the same state as all of them. */
import { describe, expect, test } from "vitest";
import { AggregateGatherer } from "#src/appliance/local/aggregate-gatherer.ts";
import { headsInMemory } from "#src/appliance/local/batch-heads.ts";
import { Fold } from "#src/appliance/local/fold.ts";
import {
  aggregateBlocksMax,
  aggregateRangesMax,
  batchBytesMax,
  batchHeaderBytes,
  blockBytes,
  MiB,
  recordBlocksMax,
} from "#src/core/limits.ts";
import { checksumBytes } from "#src/host/checksum.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import { recordType } from "#src/records/record.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const policy = { everyMs: 1000, bytesMax: MiB };
const trim = recordType.trim;
const zero = recordType.zero;

/** By volume and block: the position of what was written last, by the records or by what is left of them. */
type State = Map<string, number>;

function cleared(state: State, volume: number, startBlock: number, blockCount: number): void {
  for (let block = startBlock; block < startBlock + blockCount; block++) state.delete(`${volume}:${block}`);
}

function stateOf(fold: Fold): State {
  const state: State = new Map();
  for (const { volume, startBlock, blockCount } of fold.ranges) cleared(state, volume, startBlock, blockCount);
  const { slots } = fold;
  for (const slot of slots.sorted())
    state.set(`${slots.volumeOf(slot)}:${slots.blockOf(slot)}`, slots.positionOf(slot));
  return state;
}

const noSums = Buffer.alloc(recordBlocksMax * checksumBytes);

/** Feeds a fold and the plain model with the same random records. */
class Both {
  readonly fold = new Fold();
  readonly state: State = new Map();
  readonly touched = new Set<string>();
  #seq = 0;
  #position = 0;
  writtenBlocks = 0;

  step(random: SeededRandom): void {
    const volume = random.between(1, 2);
    const startBlock = random.integerBelow(60);
    const blockCount = random.between(1, 8);
    this.#seq++;
    this.fold.beginBatch({ epoch: 1, firstSeq: this.#seq, lastSeq: this.#seq, timeMicros: 0, payloadBytes: 0 });
    if (random.chance(0.7)) this.#write(volume, startBlock, blockCount);
    else this.#clear(random.chance(0.5) ? trim : zero, volume, startBlock, blockCount * random.between(1, 4));
  }

  #write(volume: number, startBlock: number, blockCount: number): void {
    this.#position += blockCount * blockBytes;
    this.fold.write(volume, startBlock, blockCount, this.#position, noSums, 0);
    for (let index = 0; index < blockCount; index++) {
      this.state.set(`${volume}:${startBlock + index}`, this.#position + index * blockBytes);
    }
    this.writtenBlocks += blockCount;
  }

  #clear(type: typeof trim | typeof zero, volume: number, startBlock: number, blockCount: number): void {
    this.fold.clearRange({ type, volume, startBlock, blockCount });
    cleared(this.state, volume, startBlock, blockCount);
  }
}

test("any row of records and what is left of it make the same state", () => {
  const random = new SeededRandom(7);
  for (let round = 0; round < 300; round++) {
    const both = new Both();
    const count = random.between(1, 120);
    for (let index = 0; index < count; index++) both.step(random);
    expect(stateOf(both.fold), `round ${round}`).toEqual(both.state);
    expect(both.fold.figures.records).toBe(count);
    expect(both.fold.payloadBytes).toBe(both.state.size * blockBytes);
  }
});

test("a fold that is used again remembers nothing", () => {
  const random = new SeededRandom(8);
  const both = new Both();
  for (let index = 0; index < 100; index++) both.step(random);
  both.fold.clear();
  expect([both.fold.isEmpty, both.fold.payloadBytes, both.fold.ranges.length, stateOf(both.fold).size]).toEqual([
    true,
    0,
    0,
    0,
  ]);
});

describe("trims and zeros", () => {
  const range = (startBlock: number, blockCount: number, type: typeof trim | typeof zero = trim, volume = 1) => ({
    ...{ type, volume, startBlock, blockCount },
  });

  test.each([
    ["the same again", [range(5, 5), range(5, 5)], [range(5, 5)]],
    ["what goes on where the last one ends", [range(5, 5), range(10, 5)], [range(5, 10)]],
    ["what ends where the last one begins", [range(10, 5), range(5, 5)], [range(5, 10)]],
    ["what overlaps", [range(5, 5), range(8, 10)], [range(5, 13)]],
    ["what lies in it", [range(5, 50), range(8, 10)], [range(5, 50)]],
  ])("%s becomes one", (_what, given, expected) => {
    const fold = new Fold();
    for (const one of given) fold.clearRange(one);
    expect(fold.ranges).toEqual(expected);
  });

  test.each([
    ["a gap", [range(5, 5), range(11, 5)]],
    ["another kind", [range(5, 5), range(10, 5, zero)]],
    ["another volume", [range(5, 5), range(10, 5, trim, 2)]],
    ["more than a record may have", [range(0, 2 ** 28), range(2 ** 28, 1)]],
  ])("%s stays apart", (_what, given) => {
    const fold = new Fold();
    for (const one of given) fold.clearRange(one);
    expect(fold.ranges).toEqual(given);
  });

  test("of a whole disk drop what was written without looking for each of its blocks", () => {
    const fold = new Fold();
    fold.write(1, 2 ** 27, 3, 0, noSums, 0);
    fold.write(2, 2 ** 27, 3, 0, noSums, 0);
    fold.clearRange(range(0, 2 ** 28));
    expect(fold.slots.liveCount).toBe(3);
  });
});

test("blocks behind each other are told as runs, not across volumes", () => {
  const fold = new Fold();
  fold.write(2, 10, 4, 0, noSums, 0);
  fold.write(1, 8, 2, 0, noSums, 0);
  fold.write(1, 10, 1, 999, noSums, 0);
  const { slots } = fold;
  const sorted = slots.sorted();
  expect([...sorted].map((slot) => [slots.volumeOf(slot), slots.blockOf(slot)])).toEqual([
    [1, 8],
    [1, 9],
    [1, 10],
    [2, 10],
    [2, 11],
    [2, 12],
    [2, 13],
  ]);
  expect([slots.runFrom(sorted, 0, 256), slots.runFrom(sorted, 3, 256), slots.runFrom(sorted, 3, 2)]).toEqual([
    3, 4, 2,
  ]);
  expect([slots.pieceFrom(sorted, 0, 3), slots.pieceFrom(sorted, 3, 4)]).toEqual([2, 4]);
});

/** A batch as it lies in memory and is appended at the position 0. */
function batch(firstSeq: number, add: (builder: BatchBuilder) => void, epoch = 1) {
  const builder = new BatchBuilder();
  const buffer = Buffer.alloc(batchBytesMax);
  builder.begin(buffer, 0);
  add(builder);
  builder.finish({ epoch, firstSeq, timeMicros: 77, incarnation: 1, position: 0, durableSeq: 0 });
  return headsInMemory(buffer, 0, 0);
}

function write(builder: BatchBuilder, startBlock: number, blockCount: number): void {
  const record = { type: recordType.write, volume: 1, startBlock, blockCount, ordinal: 1 };
  builder.addWrite(record, Buffer.alloc(blockCount * blockBytes, startBlock % 251), 0);
}

function note(builder: BatchBuilder, type: number, blockCount = 0): void {
  builder.add({ type, volume: 1, startBlock: 0, blockCount, ordinal: 0 });
}

describe("a batch", () => {
  test("is taken with the places of its blocks and what it came to", () => {
    const gatherer = new AggregateGatherer(policy);
    const offered = gatherer.offer(
      batch(4, (builder) => {
        write(builder, 9, 2);
        note(builder, recordType.flush);
        write(builder, 10, 1);
      }),
      0,
    );
    const fold = gatherer.cut();
    expect(offered).toBe("taken");
    expect(fold.figures).toEqual({ records: 3, bytes: 3 * blockBytes });
    expect([fold.firstSeq, fold.lastSeq, fold.timeMicros]).toEqual([4, 6, 77]);
    expect(stateOf(fold)).toEqual(
      new Map([
        ["1:9", batchHeaderBytes],
        ["1:10", batchHeaderBytes + 2 * blockBytes],
      ]),
    );
  });

  test.each([
    recordType.mark,
    recordType.mode,
    recordType.level,
    recordType.resize,
    recordType.epoch,
    recordType.clock,
    recordType.resyncBegin,
    recordType.resyncEnd,
    recordType.initialComplete,
    recordType.volume,
  ])("with a record of type %i is in no aggregate", (type) => {
    const mixed = batch(1, (builder) => {
      write(builder, 1, 1);
      note(builder, type);
    });
    const gatherer = new AggregateGatherer(policy);
    expect([gatherer.offer(mixed, 0), gatherer.isEmpty]).toEqual(["plain", true]);
  });

  test("whose heads do not come to what its header says is not taken", () => {
    const sound = batch(1, (builder) => write(builder, 1, 2));
    const gatherer = new AggregateGatherer(policy);
    expect(gatherer.offer({ ...sound, header: { ...sound.header, recordCount: 2 } }, 0)).toBe("unsound");
    expect(gatherer.offer({ ...sound, header: { ...sound.header, payloadBytes: blockBytes } }, 0)).toBe("unsound");
    expect(gatherer.isEmpty).toBe(true);
  });

  test("of another epoch is not in the same aggregate", () => {
    const gatherer = new AggregateGatherer(policy);
    gatherer.offer(
      batch(1, (builder) => write(builder, 1, 1)),
      0,
    );
    expect(
      gatherer.offer(
        batch(100, (builder) => write(builder, 1, 1), 2),
        0,
      ),
    ).toBe("full");
  });
});

describe("an aggregate", () => {
  test("is full when another batch might bring more blocks than it may have", () => {
    const gatherer = new AggregateGatherer(policy);
    let seq = 1;
    const next = (startBlock: number) =>
      gatherer.offer(
        batch(seq, (builder) => write(builder, startBlock, 256)),
        0,
      );
    for (; seq <= aggregateBlocksMax / 256; seq++) expect(next(seq * 256)).toBe("taken");
    expect(next(256)).toBe("full");
    expect(gatherer.cut().slots.liveCount).toBe(aggregateBlocksMax);
    expect(next(256)).toBe("taken");
  });

  test("is full when another batch might bring more trims than it may have", () => {
    const gatherer = new AggregateGatherer(policy);
    const trims = (firstSeq: number) =>
      batch(firstSeq, (builder) => {
        for (let index = 0; index < 1024; index++) note(builder, index % 2 === 0 ? trim : zero, 1);
      });
    for (let seq = 1; seq <= aggregateRangesMax; seq += 1024) expect(gatherer.offer(trims(seq), 0)).toBe("taken");
    expect(gatherer.offer(trims(aggregateRangesMax + 1), 0)).toBe("full");
  });

  test("is due so long after the first record in it, or when it has so much", () => {
    const gatherer = new AggregateGatherer(policy);
    expect([gatherer.dueAtMs, gatherer.isDue(1e9)]).toEqual([Number.POSITIVE_INFINITY, false]);
    gatherer.offer(
      batch(1, (builder) => write(builder, 0, 1)),
      500,
    );
    gatherer.offer(
      batch(2, (builder) => write(builder, 0, 1)),
      1400,
    );
    expect([gatherer.isDue(1499), gatherer.isDue(1500)]).toEqual([false, true]);
    gatherer.offer(
      batch(3, (builder) => write(builder, 0, 255)),
      1400,
    );
    expect(gatherer.isDue(1400)).toBe(false);
    gatherer.offer(
      batch(4, (builder) => write(builder, 300, 1)),
      1400,
    );
    expect(gatherer.isDue(1400)).toBe(true);
  });
});
