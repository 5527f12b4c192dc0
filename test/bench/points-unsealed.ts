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
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { rememberingLog } from "#test/store/remembering-log.ts";
import { benchGroup, benchVolume } from "./points-history.ts";
import { openPoints, rounded, spreadOf } from "./points-openings.ts";
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
  const journal = journalIn(scratch.path);
  show(`a journal of ${recordCount} records that are not sealed`);
  writeJournal(journal, recordCount, random);
  show(`opens points that are not sealed: one for the first time, and ${pointCount} others`);
  const order = { isSealed: false, folder: scratch.path, lastSeq: recordCount, pointCount, volumeBlocks };
  const opened = await openPoints(order);
  const { first, others, grownMebibytes } = opened;
  const processorSeconds = others.reduce((sum, one) => sum + one.processorSeconds, 0) / pointCount;
  return {
    ...{ recordCount, pointCount, ...spreadOf(opened), grownMebibytes },
    ...{ firstSeconds: rounded(first.seconds), firstProcessorSeconds: rounded(first.processorSeconds) },
    processorSeconds: rounded(processorSeconds),
  };
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
export async function unsealedPoints(folder: string, durableSeq: number): Promise<GroupPoints> {
  const journal = journalIn(folder);
  const machine = nodeMachine(rememberingLog([]));
  const objects = await FolderObjects.open(machine, join(folder, "objects"));
  const segments = await SealedSegments.open(objects, (identity) => SegmentFile.open(objects, identity, undefined));
  const { files, clock } = machine;
  return openGroupPoints({
    ...{ files, clock, objects, key: undefined, group: benchGroup, segments, reader: new BlockReader(segments) },
    journal: () => ({ folder: journal, incarnation, start: wholeJournal, durableSeq }),
  });
}

function journalIn(folder: string): JournalFolder {
  return new JournalFolder(join(folder, "group"));
}
