/**
 * Our part of the benchmark of the store, in a process of its own as those of others are: one order as its argument, one
 * answer on standard output.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { startPieceThread } from "#src/control/piece-thread.ts";
import { blockBytes } from "#src/core/limits.ts";
import { slotsPerPage } from "#src/core/store-limits.ts";
import { addressOf, slotsPerSegment } from "#src/records/address.ts";
import type { AddressRun } from "#src/store/block-reader.ts";
import { SequentialReader } from "#src/store/sequential-reader.ts";
import { placeInFrameAt, slotEntryBytes, slotKind, slotKindAt } from "#src/store/slot-page.ts";
import { processUsage } from "./process-usage.ts";
import { collectHalf } from "./store-collecting.ts";
import { fillIndex, sealNew } from "./store-index.ts";
import type { ChildAnswer, ChildOrder, RandomOrder, RestoreOrder, SealOrder, WorkAnswer } from "./store-orders.ts";
import { benchOrigin, objectsFolder, openOwnStore } from "./store-own.ts";
import { benchVolume, ImageSource } from "./store-source.ts";

async function seal({ folder, threadCount, effort, image, numbersFile }: SealOrder): Promise<WorkAnswer> {
  const { store, close } = await openOwnStore(folder, threadCount, effort);
  const numbers = numbersFile === undefined ? undefined : numbersIn(readFileSync(numbersFile));
  const source = new ImageSource(image, numbers);
  const first = store.segments.newest + 1;
  for (let index = 0; index < source.segmentCount; index++) {
    await store.seal(source.segment(index, first + index), benchOrigin);
  }
  source.close();
  const { uniqueBytes } = store.figures;
  await close();
  return { blockCount: source.blockCount, keptCount: uniqueBytes / blockBytes };
}

/** What is read of a small file is a part of memory that others share. */
function numbersIn({ buffer, byteOffset, length }: Buffer): Uint32Array {
  return new Uint32Array(buffer.slice(byteOffset, byteOffset + length));
}

async function restore(order: RestoreOrder): Promise<WorkAnswer> {
  const { folder, threadCount, firstSegment, blockCount, output } = order;
  const config = { log: { level: "warn", format: "text" } } as const;
  const settings = { config, folder: objectsFolder(folder), key: undefined };
  const threads = Array.from({ length: threadCount }, (_, number) => startPieceThread(`read ${number}`, settings));
  const descriptor = openSync(output, "w");
  let restored = 0;
  for await (const { count, blocks, damaged } of new SequentialReader(threads).read(runsOf(firstSegment, blockCount))) {
    if (damaged.subarray(0, count).includes(1)) throw new Error("what was sealed cannot be read");
    writeSync(descriptor, blocks, 0, count * blockBytes);
    restored += count;
  }
  closeSync(descriptor);
  for (const thread of threads) thread.end();
  return { blockCount: restored, keptCount: 0 };
}

function* runsOf(firstSegment: number, blockCount: number): Generator<AddressRun, void> {
  for (let first = 0; first < blockCount; first += slotsPerSegment) {
    const segment = firstSegment + first / slotsPerSegment;
    const count = Math.min(slotsPerSegment, blockCount - first);
    yield { address: addressOf(segment, 0), blockCount: count, volume: benchVolume };
  }
}

/** Of each frame of the store its first block: nothing that is zeros, or lies in another block's frame. */
async function framesIn(folder: string): Promise<number[]> {
  const { store, close } = await openOwnStore(folder, 0);
  const addresses: number[] = [];
  for (const { segment } of store.segments.identities()) {
    const directory = await store.segments.directory(segment);
    for (let page = 0; page < directory.pageCount; page++) {
      const slots = await directory.slots(page);
      for (let start = 0; start < slots.length; start += slotEntryBytes) {
        const isFirst = slotKindAt(slots, start) === slotKind.kept && placeInFrameAt(slots, start) === 0;
        if (isFirst) addresses.push(addressOf(segment, page * slotsPerPage + start / slotEntryBytes));
      }
    }
  }
  await close();
  return addresses;
}

/** Each block is one of another frame, far from the one before. At most as many as there are frames. */
async function random({ folder, readCount }: RandomOrder): Promise<WorkAnswer> {
  const frames = await framesIn(folder);
  // What was read to find them is in no cache of this one.
  const { store, close } = await openOwnStore(folder, 0);
  const count = Math.min(readCount, frames.length);
  // A prime, and another one where that divides the number of frames, so that none comes twice.
  const stride = frames.length % 7919 === 0 ? 7907 : 7919;
  const target = Buffer.alloc(blockBytes);
  const began = performance.now();
  for (let read = 0; read < count; read++) {
    const address = frames[(read * stride) % frames.length] as number;
    const damaged = await store.reader.read({ address, blockCount: 1, volume: benchVolume }, target, 0);
    if (damaged.length > 0) throw new Error("what was sealed cannot be read");
  }
  const seconds = (performance.now() - began) / 1000;
  await close();
  return { seconds, blockCount: count, keptCount: 0 };
}

const work: { readonly [Word in ChildOrder["word"]]: (order: never) => Promise<WorkAnswer> } = {
  seal,
  restore,
  random,
  "fill-index": fillIndex,
  "seal-new": sealNew,
  collect: collectHalf,
};

const order = JSON.parse(process.argv[2] ?? "") as ChildOrder;
const began = performance.now();
const startUsage = process.cpuUsage();
const answer = await work[order.word](order as never);
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(startUsage);
const cpuSeconds = (user + system) / 1e6;
const { memoryPeakBytes } = await processUsage(process.pid);
process.stdout.write(`${JSON.stringify({ seconds, cpuSeconds, memoryPeakBytes, ...answer } satisfies ChildAnswer)}\n`);
process.exit(0);
