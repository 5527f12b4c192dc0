import { expect, test } from "vitest";
import { batchBytesMax } from "#src/core/limits.ts";
import { BatchBuilder } from "#src/records/batch-builder.ts";
import { recordType } from "#src/records/record.ts";
import { frameType } from "#src/wire/frame.ts";
import type { FrameChannel } from "#src/wire/frame-channel.ts";
import { VolumeConversation } from "#src/wire/volume-conversation.ts";
import { noOrder } from "#src/wire/volume-messages.ts";
import { promisesSettled } from "#test/sim/sim-clock.ts";
import { blocksOf, RecordingReceiver } from "./volume-world.ts";

function redoBatch(): Buffer {
  const builder = new BatchBuilder();
  const buffer = Buffer.alloc(batchBytesMax);
  builder.begin(buffer, 0);
  const record = { type: recordType.write, volume: 1, startBlock: 0, blockCount: 2, ordinal: 1 };
  builder.addWrite(record, blocksOf(1, 2), 0);
  return buffer.subarray(0, builder.finish(noOrder));
}

test("what comes in while a record is redone does not disturb its payload", async () => {
  const receiver = new RecordingReceiver();
  const sent: number[] = [];
  const channel = { send: (type: number) => sent.push(type), close: () => {}, over: new Promise(() => {}) };
  const conversation = new VolumeConversation({
    channel: channel as unknown as FrameChannel,
    pool: undefined as never,
    receiver,
    attached: () => {},
    failed: () => {},
    closed: () => {},
  });
  const bytes = redoBatch();
  conversation.frame(frameType.redo, bytes, 0, bytes.length);
  // The next read lands where this frame lay.
  bytes.fill(0xee);
  await promisesSettled();
  expect(receiver.redone[0]?.payload?.equals(blocksOf(1, 2))).toBe(true);
  expect(sent).toEqual([frameType.redone]);
});
