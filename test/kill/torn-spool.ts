/** A spool as a process leaves it that dies in the middle of a write: the last batch is there in part. */
import { readFileSync, writeFileSync } from "node:fs";
import { filesUnder, readLogFile } from "#test/oracle/log-file-reader.ts";

/** Takes the end of the last batch away. */
export function tearLastBatch(folder: string): void {
  for (const path of filesUnder(folder)) {
    const last = readLogFile(path, "spool")?.batches.at(-1);
    if (last === undefined) continue;
    const bytes = readFileSync(path);
    const payloadAt = bytes.indexOf(last.payload);
    if (last.payload.length === 0) throw new Error(`${path} ends with a batch that has nothing to tear`);
    bytes.fill(0, payloadAt + last.payload.length / 2, payloadAt + last.payload.length + last.heads.length);
    writeFileSync(path, bytes);
  }
}
