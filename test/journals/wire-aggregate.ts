/** Aggregates as a local appliance sends them, part by part, for tests of what receives them. */
import { batchBytesMax, blockBytes } from "#src/core/limits.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import { AggregatePartBuilder, type BlockRange, type FoldedFigures } from "#src/records/aggregate-part.ts";
import { recordType } from "#src/records/record.ts";

export interface SentRange extends BlockRange {
  readonly type?: typeof recordType.trim | typeof recordType.zero;
}

/** Blocks behind each other. */
export interface SentRun {
  readonly volume?: number;
  readonly startBlock: number;
  readonly payload: Buffer;
}

export interface SentAggregate {
  readonly epoch?: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly timeMicros?: number;
  readonly ranges?: readonly SentRange[];
  readonly runs?: readonly SentRun[];
  readonly folded?: FoldedFigures;
  /** A part has no more records than this. */
  readonly recordsPerPart?: number;
}

type Add = (builder: AggregatePartBuilder) => void;

/** The parts in their order. */
export function wireAggregate(aggregate: SentAggregate): Buffer[] {
  const {
    firstSeq,
    lastSeq,
    ranges = [],
    runs = [],
    folded = { records: lastSeq - firstSeq + 1, bytes: 0 },
  } = aggregate;
  const adds: Add[] = [
    ...ranges.map(
      ({ type = recordType.trim, ...range }): Add =>
        (builder) =>
          builder.addRange(type, range),
    ),
    ...runs.map(
      (run): Add =>
        (builder) =>
          addRun(builder, run),
    ),
    (builder) => builder.addCommit(folded),
  ];
  const recordsPerPart = aggregate.recordsPerPart ?? 1024;
  const parts: Buffer[] = [];
  for (let index = 0; index < adds.length; index += recordsPerPart) {
    parts.push(wirePart(aggregate, parts.length, adds.slice(index, index + recordsPerPart)));
  }
  return parts;
}

const builder = new AggregatePartBuilder();
const memory = Buffer.alloc(batchBytesMax);

function wirePart(aggregate: SentAggregate, partNumber: number, adds: readonly Add[]): Buffer {
  const { epoch = 1, firstSeq, lastSeq, timeMicros = lastSeq * 1000 } = aggregate;
  builder.begin(memory, 0);
  for (const add of adds) add(builder);
  const spanBytes = builder.finish({ epoch, firstSeq, lastSeq, partNumber, timeMicros });
  return Buffer.from(memory.subarray(0, spanBytes));
}

function addRun(part: AggregatePartBuilder, { volume = 1, startBlock, payload }: SentRun): void {
  const blockCount = payload.length / blockBytes;
  const checksums = Buffer.alloc(blockCount * checksumBytes);
  for (let block = 0; block < blockCount; block++) {
    putChecksum(payload, block * blockBytes, (block + 1) * blockBytes, checksums, block * checksumBytes);
  }
  part.addWrite({ volume, startBlock, blockCount }, payload, 0, checksums, 0);
}
