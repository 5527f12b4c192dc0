/**
 * Opens copies of an index whose file is damaged, one after the other, and uses each. May be ended by any of them: so it
 * says which it is at, and the last one can be opened again as it then is.
 *
 *     node damaged-index.ts large|small TEMPLATE "" begin
 *     node damaged-index.ts large|small TEMPLATE COPY [{"kind", "at"} …]
 *     node damaged-index.ts large|small TEMPLATE COPY again
 */
import fs from "node:fs";
import { holeAddress } from "#src/records/address.ts";
import { openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import { realDriver } from "#test/contract/driver.ts";
import { found, segmentOfBlocks } from "./index-blocks.ts";
import { type Damage, damage, damagedSegment, type IndexSize, indexContents, newSegment } from "./index-damage.ts";
import { realIndexParts } from "./real-index.ts";

const [size, template, copy, what] = process.argv.slice(2) as [IndexSize, string, string, string];
const { damagedBlocks, newBlocks } = indexContents[size];

async function use(folder: string): Promise<object> {
  const warnings: string[] = [];
  const index = await openFingerprintIndex(realIndexParts(folder, warnings));
  const missing = await index.missing([damagedSegment]);
  const hits = found(index, damagedBlocks).filter((address) => address !== holeAddress).length;
  await realDriver.until(() => index.figures().hasFilter || index.state.isIncomplete);
  await index.add(newSegment, segmentOfBlocks(newSegment.segment, newBlocks));
  await index.flush();
  const expected = segmentOfBlocks(newSegment.segment, newBlocks).addresses;
  const after = found(index, newBlocks);
  const lostCount = after.filter((address) => address === holeAddress).length;
  const wrongCount = after.filter((address, block) => address !== holeAddress && address !== expected[block]).length;
  await index.close();
  return { isMissing: missing.length > 0, hits, lostCount, wrongCount, warnings };
}

async function begin(): Promise<void> {
  const index = await openFingerprintIndex(realIndexParts(template, []));
  await index.add(damagedSegment, segmentOfBlocks(damagedSegment.segment, damagedBlocks));
  await index.close();
}

async function run(): Promise<void> {
  if (what === "begin") return await begin();
  if (what === "again") return say(await use(copy));
  for (const one of JSON.parse(what) as Damage[]) {
    say({ start: one });
    fs.rmSync(copy, { recursive: true, force: true });
    fs.cpSync(template, copy, { recursive: true });
    damage(`${copy}/fingerprints.map`, one);
    say(await use(copy));
  }
}

/** At once, since the next moment may be the last. */
function say(words: object): void {
  fs.writeSync(1, `${JSON.stringify(words)}\n`);
}

await run();
