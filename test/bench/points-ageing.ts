/** What it takes to thin a history out: records in a second that are folded, and compared with what they were made of. */
import { join } from "node:path";
import { nodeMachine } from "#src/host/node/machine.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { SealedPieceBuilder, type SealedUnit } from "#src/journals/sealed-piece-builder.ts";
import type { PieceLink } from "#src/journals/sealed-piece-format.ts";
import { addressOf } from "#src/records/address.ts";
import { recordType } from "#src/records/record.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { GroupHistory } from "#src/synth/group-history.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { rememberingLog } from "#test/store/remembering-log.ts";
import { table, wrapped } from "./markdown.ts";
import { benchGroup, benchVolume, freely } from "./points-history.ts";
import type { PointsOptions } from "./points-options.ts";
import type { AgeingFigures } from "./points-results.ts";
import { round } from "./rounding.ts";
import { median } from "./rounds.ts";
import { createScratch } from "./scratch.ts";

interface AgeingCase {
  readonly name: string;
  /** Each record writes one of so many blocks. */
  readonly blockCount: number;
}

const recordCountMax = 1_000_000;
const pieceRecords = 2 ** 16;
const slots = 65_536;
const level = 60;
const microsBetween = 10_000;
const marks = { quiescedMicros: 0, otherMicros: 0 };
const cases: readonly AgeingCase[] = [
  { name: "all over 1 TiB", blockCount: 2 ** 28 },
  { name: "4096 blocks again and again", blockCount: 4096 },
];

export async function measureAgeing(options: PointsOptions, show: (what: string) => void): Promise<AgeingFigures[]> {
  const figures: AgeingFigures[] = [];
  for (const one of cases) {
    const rounds: AgeingFigures[] = [];
    for (let count = 1; count <= options.rounds; count++) {
      show(`ageing, ${one.name}: round ${count} of ${options.rounds}`);
      rounds.push(await measured(one, options));
    }
    const [first] = rounds as [AgeingFigures];
    figures.push({
      ...first,
      foldedPerSecond: round(median(rounds.map(({ foldedPerSecond }) => foldedPerSecond)), 0),
      settledPerSecond: round(median(rounds.map(({ settledPerSecond }) => settledPerSecond)), 0),
    });
  }
  return figures;
}

async function measured({ name, blockCount }: AgeingCase, options: PointsOptions): Promise<AgeingFigures> {
  using scratch = createScratch(options.folder);
  const machine = nodeMachine(rememberingLog([]));
  const objects = await FolderObjects.open(machine, join(scratch.path, "objects"));
  const recordCount = Math.min(options.recordCount, recordCountMax);
  const { clock, randomness } = machine;
  const history = new GroupHistory({ objects, randomness, clock, key: undefined, group: benchGroup });
  const sizeOf = async (): Promise<number> => {
    let sum = 0;
    for await (const { sizeBytes } of objects.list("pieces/")) sum += sizeBytes;
    return sum;
  };
  await seal(objects, randomness, clock.wallMs() * 1000 - 2 * recordCount * microsBetween, { recordCount, blockCount });
  const bytesBefore = await sizeOf();
  const policy = { steps: [{ afterMicros: 0, level }], marks };
  const perSecond = async (): Promise<number> => {
    const beganMs = clock.monotonicMs();
    await history.age(policy, freely);
    return recordCount / (clock.monotonicMs() - beganMs);
  };
  const [foldedPerSecond, settledPerSecond] = [await perSecond(), await perSecond()];
  const bytesAfter = await sizeOf();
  const recordsLeft = (await history.levelMeasures()).reduce((sum, measure) => sum + measure.recordCount, 0);
  await objects.close();
  return { name, recordCount, recordsLeft, foldedPerSecond, settledPerSecond, bytesBefore, bytesAfter };
}

/** Records of 4 KiB a hundredth of a second from each other; the last piece is not folded, and has one. */
async function seal(
  objects: FolderObjects,
  randomness: ReturnType<typeof nodeMachine>["randomness"],
  beginMicros: number,
  { recordCount, blockCount }: { readonly recordCount: number; readonly blockCount: number },
): Promise<void> {
  const random = new SeededRandom(1);
  let link: PieceLink | undefined;
  for (let seq = 1; seq <= recordCount; ) {
    const isLast = seq === recordCount;
    const last = isLast ? seq : Math.min(seq + pieceRecords, recordCount) - 1;
    const units: SealedUnit[] = [];
    for (; seq <= last; seq++) {
      const timeMicros = Math.round(beginMicros) + seq * microsBetween;
      const place = {
        volume: benchVolume,
        seq,
        timeMicros,
        epoch: 1,
        ordinal: seq,
        level: 0,
        extraBytes: 0,
        extraAt: 0,
      };
      const address = addressOf(1 + Math.floor(seq / slots), seq % slots);
      const body = { type: recordType.write, startBlock: random.integerBelow(blockCount), blockCount: 1, address };
      units.push({ firstSeq: seq, isAggregate: false, records: [{ ...place, ...body }], bytes: noBytes });
    }
    const parts = { objects, randomness, key: undefined, group: benchGroup, previous: link };
    const builder = new SealedPieceBuilder(parts, units[0] as SealedUnit);
    for (const unit of units) await builder.add(unit);
    link = (await SealedPiece.open(objects, await builder.finish(1), undefined)).link;
  }
}

const noBytes = Buffer.alloc(0);

export function ageingText(figures: readonly AgeingFigures[]): string {
  const rows = figures.map(({ name, recordCount, recordsLeft, foldedPerSecond, settledPerSecond, ...bytes }) => [
    name,
    `${foldedPerSecond} k/s`,
    `${settledPerSecond} k/s`,
    `${recordCount} to ${recordsLeft}`,
    `${round(bytes.bytesBefore / recordCount, 1)} to ${round(bytes.bytesAfter / recordCount, 1)}`,
  ]);
  const words =
    "A history of single writes of 4 KiB, a hundred in a second, that comes of age for one point in a minute: thousands of its " +
    "records in a second while it is folded and compared with what it was made of, and with the next run, which compares it again " +
    "and lets that go.";
  const titles = ["what was written", "folded", "settled", "records", "bytes a record of before"];
  return `${wrapped(words)}\n\n${table(titles, rows)}`;
}
