/**
 * A small program to try the disks with: `append-program.ts FOLDER HABIT COUNT`. It appends numbered records to a log
 * and publishes their number as a document, and says `appended N` and `published N` once these are durable - or, with a
 * bad habit, once they should be. After the given count of records it waits to be killed.
 */
import fs from "node:fs";
import { dirname, join } from "node:path";
import { nodeFiles } from "#src/host/node/files.ts";
import { publish } from "#src/host/publish.ts";
import { type Habit, putRecord, recordBytes } from "./append-records.ts";

const [folder, habit, count] = process.argv.slice(2) as [string, Habit, string];
const recordsPerSync = 3;

function say(text: string): void {
  fs.writeSync(1, `${text}\n`);
}

function synced(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error === null ? resolve() : reject(error))));
}

/** As `publish`, but for the last step. */
async function publishWithoutFolder(path: string, bytes: Buffer): Promise<void> {
  await publish({ ...nodeFiles, syncFolder: (_path, done) => done(null) }, path, bytes);
}

const log = nodeFiles.create(join(folder, "log"));
await synced((done) => nodeFiles.syncFolder(dirname(log.path), done));
const bytes = Buffer.alloc(recordBytes * recordsPerSync);
for (let number = 0; number < Number(count); number += recordsPerSync) {
  for (let index = 0; index < recordsPerSync; index++) putRecord(bytes, index * recordBytes, number + index);
  log.writeNow(bytes, 0, bytes.length, number * recordBytes);
  const last = number + recordsPerSync - 1;
  if (habit !== "no file sync") await synced((done) => log.sync(done));
  say(`appended ${last}`);
  const document = Buffer.alloc(recordBytes);
  putRecord(document, 0, last);
  if (habit === "no folder sync") await publishWithoutFolder(join(folder, "document"), document);
  else await publish(nodeFiles, join(folder, "document"), document);
  say(`published ${last}`);
}
setInterval(() => {}, 1_000_000);
