/** Adds to an index, some of it durably, and is gone: `node killed-index.ts FOLDER`. */
import { openFingerprintIndex } from "#src/store/mapped-fingerprint-index.ts";
import { numbers, segmentOfBlocks } from "./index-blocks.ts";
import { realIndexParts } from "./real-index.ts";

const [folder] = process.argv.slice(2) as [string];
const index = await openFingerprintIndex(realIndexParts(folder, []));
await index.add({ segment: 1, generation: 0 }, segmentOfBlocks(1, numbers(0, 2000)));
await index.flush();
await index.add({ segment: 2, generation: 0 }, segmentOfBlocks(2, numbers(5000, 2000)));
process.kill(process.pid, "SIGKILL");
