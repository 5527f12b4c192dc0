/** Invariant "ahead": the source is the replay of the journal. Compared block by block, the source read as it lies there. */
import fs from "node:fs";
import type { JournalReplay } from "./journal-replay.ts";
import { blockBytes } from "./log-records.ts";

const readBytes = 256 * blockBytes;
const complaintsMax = 5;
const zeros = Buffer.alloc(blockBytes);

/** In words, what differs; empty: nothing does. */
export function differences(sourcePath: string, replay: JournalReplay, volume: number): string[] {
  const [found, wanted] = [fs.statSync(sourcePath).size, replay.sizeOf(volume)];
  const sizes = wanted === undefined || wanted === found ? [] : [`it has ${found} bytes, and should have ${wanted}`];
  return [...sizes, ...complaintsAbout(sourcePath, replay, volume, () => false)];
}

/** As `differences`, where the first records have gone: of the blocks that those which are left write. */
export function differencesOfRest(sourcePath: string, replay: JournalReplay, volume: number): string[] {
  const left = replay.contentOf(volume);
  return complaintsAbout(sourcePath, replay, volume, (_, block) => !left.has(block));
}

/**
 * As `differences`, but a block may also hold what an earlier record wrote, or nothing yet: the source of a volume whose
 * processes were killed lags behind its journal, and never has what the journal does not.
 */
export function strangers(sourcePath: string, replay: JournalReplay, volume: number): string[] {
  return complaintsAbout(sourcePath, replay, volume, (found, block) => {
    if (found.equals(zeros)) return true;
    return replay.originsOf(volume, block).some((origin) => replay.bytesOf(origin).equals(found));
  });
}

function complaintsAbout(
  sourcePath: string,
  replay: JournalReplay,
  volume: number,
  excuse: (found: Buffer, block: number) => boolean,
): string[] {
  const content = replay.contentOf(volume);
  const complaints: string[] = [];
  const source = fs.openSync(sourcePath, "r");
  try {
    const sizeBytes = fs.fstatSync(source).size;
    const bytes = Buffer.alloc(readBytes);
    for (let at = 0; at < sizeBytes && complaints.length < complaintsMax; at += readBytes) {
      const count = fs.readSync(source, bytes, 0, readBytes, at);
      for (let from = 0; from < count; from += blockBytes) {
        const block = (at + from) / blockBytes;
        const origin = content.get(block);
        const wanted = origin === undefined ? zeros : replay.bytesOf(origin);
        const found = bytes.subarray(from, from + blockBytes);
        if (wanted.equals(found) || excuse(found, block)) continue;
        complaints.push(
          `block ${block} is not what ${origin === undefined ? "it began as" : `seq ${origin.record.seq} wrote`}`,
        );
      }
    }
  } finally {
    fs.closeSync(source);
  }
  return complaints;
}
