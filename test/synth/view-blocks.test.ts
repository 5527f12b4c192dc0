import { expect, test } from "vitest";
import { RetryError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { type ImageRuns, imageRunsMax, runKind } from "#src/synth/image-runs.ts";
import { imageReadBlocksMax } from "#src/synth/point-image.ts";
import type { ViewBase } from "#src/synth/view-base.ts";
import { ViewBlocks } from "#src/synth/view-blocks.ts";

const blockCount = 2 * imageReadBlocksMax;

/** Answers when `go` is called, and counts what it was asked. */
function slowBase() {
  const { promise, resolve: go } = Promise.withResolvers<void>();
  const asked = { count: 0 };
  const base: ViewBase = {
    sizeBytes: blockCount * blockBytes,
    blockCount,
    read: async () => {
      asked.count++;
      await promise;
      return [];
    },
    runsIn: async (startBlock: number, _count: number, runs: ImageRuns) => {
      asked.count++;
      await promise;
      runs.clear();
      runs.add(runKind.data, startBlock, 1, 65_536);
    },
    readNow: () => false,
    close: () => {},
  };
  return { base, go, asked };
}

test("a read that goes on when its view was closed meanwhile asks nobody any more", async () => {
  const { base, go, asked } = slowBase();
  const blocks = new ViewBlocks(base, undefined);
  const reading = blocks.read(0, blockCount, Buffer.alloc(blockCount * blockBytes), 0);
  const spans = blocks.spans(0, blockCount, imageRunsMax);
  blocks.close();
  const outcomes = Promise.allSettled([reading, spans]);
  go();
  const refused = { status: "rejected", reason: expect.any(RetryError) };
  expect(await outcomes).toEqual([refused, refused]);
  expect(asked.count).toBe(2);
});
