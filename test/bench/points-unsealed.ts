/** How long it takes to open points of what is not sealed yet: all of it is in the open journal, as hosts leave it that write much. */
import { join } from "node:path";
import { metadataPieceBytes } from "#src/core/limits.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import { DirtyFiles } from "#src/journals/dirty-files.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { wholeJournal } from "#src/journals/journal-start.ts";
import { MetadataJournal } from "#src/journals/metadata-journal.ts";
import { addressOf } from "#src/records/address.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import { BlockReader } from "#src/store/block-reader.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { SealedSegments } from "#src/store/sealed-segments.ts";
import { SegmentFile } from "#src/store/segment-file.ts";
import { type GroupPoints, openGroupPoints } from "#src/synth/group-points.ts";
import { ImageRuns } from "#src/synth/image-runs.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { rememberingLog } from "#test/store/remembering-log.ts";
import { benchGroup, benchVolume } from "./points-history.ts";
import type { PointsOptions } from "./points-options.ts";
import type { UnsealedFigures } from "./points-results.ts";
import { createScratch } from "./scratch.ts";

const volumeBlocks = 2 ** 28;
const slots = 65_536;
const incarnation = 7;
/** That landed together. */
const batchRecords = 16;
/** As many as wait where hosts write 4 KiB each without a pause: `remoteSealBehindBytes`. */
const recordCountMax = 2 ** 21;
const pointCountMax = 200;

export async function measureUnsealed(options: PointsOptions, show: (what: string) => void): Promise<UnsealedFigures> {
  using scratch = createScratch(options.folder);
  const recordCount = Math.min(options.recordCount, recordCountMax);
  const pointCount = Math.min(options.pointCount, pointCountMax);
  const random = new SeededRandom(17);
  const journal = new JournalFolder(join(scratch.path, "group"));
  show(`a journal of ${recordCount} records that are not sealed`);
  writeJournal(journal, recordCount, random);
  const residentBytes = process.memoryUsage.rss();
  show("opens a point of it for the first time");
  const first = await timed(async () => {
    const points = await openPoints(scratch.path, journal, recordCount);
    await look(points, recordCount, random);
    return points;
  });
  const others: Timed<void>[] = [];
  for (let count = 0; count < pointCount; count++) {
    if (count % 20 === 0) show(`opens points that are not sealed: ${count} of ${pointCount}`);
    others.push(await timed(() => look(first.result, 2 + random.integerBelow(recordCount - 2), random)));
  }
  const grownBytes = process.memoryUsage.rss() - residentBytes;
  first.result.close();
  const seconds = others.map((one) => one.seconds).sort((a, b) => a - b);
  const at = (share: number) => rounded(seconds[Math.floor(share * (seconds.length - 1))] as number);
  return {
    ...{ recordCount, pointCount, firstSeconds: rounded(first.seconds), firstProcessorSeconds: first.processorSeconds },
    ...{ medianSeconds: at(0.5), p99Seconds: at(0.99), highestSeconds: at(1) },
    processorSeconds: rounded(others.reduce((sum, one) => sum + one.processorSeconds, 0) / pointCount),
    grownMebibytes: Math.round(grownBytes / 2 ** 20),
  };
}

async function look(points: GroupPoints, seq: number, random: SeededRandom): Promise<void> {
  const image = await points.open(benchVolume, seq);
  await image.runsIn(random.integerBelow(volumeBlocks - 1), 1, new ImageRuns());
  image.close();
}

interface Timed<Result> {
  readonly result: Result;
  readonly seconds: number;
  readonly processorSeconds: number;
}

async function timed<Result>(work: () => Promise<Result>): Promise<Timed<Result>> {
  const [began, usage] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(usage);
  return { result, seconds: (performance.now() - began) / 1000, processorSeconds: rounded((user + system) / 1e6) };
}

/** As the remote appliance has it: the volume joins, and then it is written to all over. */
function writeJournal(folder: JournalFolder, recordCount: number, random: SeededRandom): void {
  const { files } = nodeMachine(rememberingLog([]));
  folder.makeNow(files);
  const parts = { files, folder, group: benchGroup, incarnation, pieceBytes: metadataPieceBytes };
  const journal = new MetadataJournal({ ...parts, dirty: new DirtyFiles(files), durableSeq: () => 0 }, 0, 1);
  const extra = encodeExtra({ id: "f".repeat(32), name: "disk", sizeBytes: volumeBlocks * 4096 });
  for (let seq = 1; seq <= recordCount; seq++) {
    const place = { volume: benchVolume, seq, timeMicros: 1_700_000_000_000_000 + seq * 30, epoch: 1, ordinal: seq };
    const body =
      seq === 1
        ? { type: recordType.volume, startBlock: 0, blockCount: 0, address: 0, level: 0, extraBytes: extra.length }
        : { type: recordType.write, startBlock: random.integerBelow(volumeBlocks), ...written(seq) };
    journal.add({ ...place, ...body }, extra, 0);
    if (seq % batchRecords === 0) journal.write();
  }
  journal.write();
  journal.release();
}

function written(seq: number) {
  return { blockCount: 1, address: addressOf(1 + Math.floor(seq / slots), seq % slots), level: 0, extraBytes: 0 };
}

/** As a process has them that has just begun. */
async function openPoints(folder: string, journal: JournalFolder, durableSeq: number): Promise<GroupPoints> {
  const machine = nodeMachine(rememberingLog([]));
  const objects = await FolderObjects.open(machine, join(folder, "objects"));
  const segments = await SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, undefined));
  const { files, clock } = machine;
  return openGroupPoints({
    ...{ files, clock, objects, key: undefined, group: benchGroup, segments, reader: new BlockReader(segments) },
    journal: () => ({ folder: journal, incarnation, start: wholeJournal, durableSeq }),
  });
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
