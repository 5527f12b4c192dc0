/** Sealing before, beside and after a collection of half of what a store has, in one process as it is where a store is kept. */
import { mkdirSync } from "node:fs";
import { nodeClock } from "#src/host/node/clock.ts";
import { addressOf, slotsPerSegment } from "#src/records/address.ts";
import { Collection } from "#src/store/collection.ts";
import type { LiveBlocks } from "#src/store/live-blocks.ts";
import { LongWork } from "#src/store/long-work.ts";
import { noReserve } from "#src/store/space-reserve.ts";
import { newSegment, tellProgress } from "./store-index.ts";
import type { CollectOrder, WorkAnswer } from "./store-orders.ts";
import { benchOrigin, type OwnStore, openOwnStore } from "./store-own.ts";

const segmentBytes = 256 * 1024 ** 2;
/** Of what is needed, and then of what is not. */
const liveRunBlocks = 64;
const sealedAtATime = 6;
const graceMs = 500;

export async function collectHalf({ folder, threadCount, segmentCount }: CollectOrder): Promise<WorkAnswer> {
  mkdirSync(folder, { recursive: true });
  const own = await openOwnStore(folder, threadCount);
  let next = 1;
  const sealMore = async (count: number): Promise<number> => {
    const began = performance.now();
    for (const last = next + count; next < last; next++) {
      tellProgress(`collection: segment ${next}, of ${segmentCount} that are collected`);
      await own.store.seal(newSegment(next), benchOrigin);
    }
    return (count * segmentBytes) / ((performance.now() - began) / 1000);
  };
  await sealMore(segmentCount);
  const before = await sealMore(sealedAtATime);
  const collecting = startedCollection(own, folder, segmentCount);
  let besideCount = 0;
  const beganBeside = performance.now();
  while (collecting.isBusy && besideCount < 4 * sealedAtATime) {
    await sealMore(1);
    besideCount++;
  }
  const beside = (besideCount * segmentBytes) / ((performance.now() - beganBeside) / 1000);
  const isOverEarly = !collecting.isBusy;
  const { seconds, freedBytes } = await collecting.done;
  const after = await sealMore(sealedAtATime);
  await own.close();
  const figures = {
    before,
    beside,
    after,
    besideCount,
    collectSeconds: seconds,
    freedBytes,
    isOverEarly: Number(isOverEarly),
  };
  return { blockCount: (next - 1) * slotsPerSegment, keptCount: 0, figures };
}

interface Collecting {
  readonly isBusy: boolean;
  readonly done: Promise<{ readonly seconds: number; readonly freedBytes: number }>;
}

function startedCollection(own: OwnStore, folder: string, segmentCount: number): Collecting {
  let isBusy = true;
  const collect = async () => {
    const began = performance.now();
    const parts = {
      ...own.parts,
      store: own.store,
      live: halfOf(segmentCount),
      indexFolder: folder,
      reserve: noReserve,
      graceMs,
    };
    const collection = await Collection.open(parts);
    // As fast as it can, but it gives way: here somebody always seals.
    const work = new LongWork({
      clock: nodeClock,
      bytesPerSecondMax: Number.POSITIVE_INFINITY,
      isOtherHurried: () => true,
    });
    await collection.plan({ neededBytes: 0 }, work);
    await collection.run(work);
    return { seconds: (performance.now() - began) / 1000, freedBytes: collection.figures.freedBytes };
  };
  const done = collect().finally(() => {
    isBusy = false;
  });
  return {
    get isBusy() {
      return isBusy;
    },
    done,
  };
}

/** Every other run of blocks of the first segments is needed; of all others nobody knows. */
function halfOf(segmentCount: number): LiveBlocks {
  return {
    markLive: async (marks, control) => {
      for (let segment = 1; segment <= segmentCount; segment++) {
        for (let slot = 0; slot < slotsPerSegment; slot += 2 * liveRunBlocks) {
          marks.mark(addressOf(segment, slot), liveRunBlocks);
        }
        await control.pace(0);
      }
      return { has: (segment) => segment <= segmentCount };
    },
  };
}
