/** A spool as a process leaves it that dies in the middle of a write: the last batch is there in part. */
import { readFileSync, writeFileSync } from "node:fs";
import { filesUnder, readLogFile } from "#test/oracle/log-file-reader.ts";

/** Takes the end of the last batch away. */
export function tearLastBatch(folder: string): void {
  for (const path of filesUnder(folder)) {
    const last = readLogFile(path, "spool")?.batches.at(-1);
    if (last === undefined) continue;
    const bytes = readFileSync(path);
    const headsAt = bytes.indexOf(last.heads);
    bytes.fill(0, headsAt - last.payload.length / 2, headsAt + last.heads.length);
    writeFileSync(path, bytes);
  }
}
