/** An index with very many fingerprints of blocks that are nowhere, and sealing beside it. */
import { blockBytes } from "#src/core/limits.ts";
import { checksumBytes, putChecksum } from "#src/host/checksum.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { addressOf, slotsPerSegment } from "#src/records/address.ts";
import type { ClosedSegment } from "#src/store/segment-seal.ts";
import { blockState } from "#src/store/slot-run.ts";
import type { FillIndexOrder, SealNewOrder, WorkAnswer } from "./store-orders.ts";
import { benchOrigin, openOwnStore } from "./store-own.ts";
import { benchVolume } from "./store-source.ts";

/** Numbers that no segment of a benchmark gets. */
const firstMadeUp = 1_000_000;
/** What is unpredictable about a made-up fingerprint: so that they lie evenly, and yet not in steps. */
const stepNoise = 0.5;

/** In their order, which spares the index nothing later, and the filling of it an hour. */
export async function fillIndex({ folder, fingerprintCount }: FillIndexOrder): Promise<WorkAnswer> {
  const { index, close } = await openOwnStore(folder, 0);
  const fingerprints = Buffer.alloc(slotsPerSegment * fingerprintBytes);
  const addresses = new Float64Array(slotsPerSegment);
  const stepSize = 2 ** 48 / fingerprintCount;
  for (let first = 0; first < fingerprintCount; first += slotsPerSegment) {
    const count = Math.min(slotsPerSegment, fingerprintCount - first);
    const segment = firstMadeUp + first / slotsPerSegment;
    for (let entry = 0; entry < count; entry++) {
      const place = Math.floor((first + entry + stepNoise * Math.random()) * stepSize);
      fingerprints.writeUIntBE(place, entry * fingerprintBytes, 6);
      fingerprints.writeUInt16BE(entry, entry * fingerprintBytes + 6);
      addresses[entry] = addressOf(segment, entry);
    }
    await index.add({ segment, generation: 0 }, { count, fingerprints, addresses });
    tellProgress(`index: fingerprint ${first + count} of ${fingerprintCount}`);
  }
  await index.flush();
  const { storedCount } = index.figures();
  if (storedCount < fingerprintCount) throw new Error(`the index has ${storedCount} fingerprints only`);
  await close();
  return { blockCount: fingerprintCount, keptCount: 0 };
}

export async function sealNew({ folder, threadCount, firstSegment, segmentCount }: SealNewOrder): Promise<WorkAnswer> {
  const { store, close } = await openOwnStore(folder, threadCount);
  for (let number = 0; number < segmentCount; number++) {
    await store.seal(newSegment(firstSegment + number), benchOrigin);
  }
  const { uniqueBytes } = store.figures;
  await close();
  const blockCount = segmentCount * slotsPerSegment;
  if (uniqueBytes !== blockCount * blockBytes) throw new Error("something that is new was known");
  return { blockCount, keptCount: blockCount };
}

const progressPauseMs = 500;
let toldMs = 0;

/** To whoever has started this process, now and then. */
export function tellProgress(text: string): void {
  if (performance.now() < toldMs + progressPauseMs) return;
  toldMs = performance.now();
  process.stderr.write(`${text}\n`);
}

/** A third of each block is noise, the rest can be compressed away; blocks of one frame have none of it alike. */
const noiseBytes = 170;
const noiseSpreadBlocks = 61;
const noiseShifts = 1021;
const thirdNoise = Buffer.alloc((noiseSpreadBlocks + 1) * blockBytes, "what comes again and again ");
for (let at = 0; at < thirdNoise.length; at += 512) {
  for (let byte = at; byte < at + noiseBytes; byte++) thirdNoise[byte] = Math.floor(Math.random() * 256);
}

export function newSegment(segment: number): ClosedSegment {
  return {
    segment,
    slotCount: slotsPerSegment,
    read: (slot, count, run) => {
      for (let index = 0; index < count; index++) {
        const start = index * blockBytes;
        const at = ((slot + index) % noiseSpreadBlocks) * blockBytes + 4 * ((slot + index) % noiseShifts);
        thirdNoise.copy(run.blocks, start, at, at + blockBytes);
        run.blocks.writeUInt32LE(segment, start);
        run.blocks.writeUInt32LE(slot + index, start + 4);
        putChecksum(run.blocks, start, start + blockBytes, run.checksums, index * checksumBytes);
      }
      run.volumes.fill(benchVolume, 0, count);
      run.states.fill(blockState.sound, 0, count);
    },
  };
}
