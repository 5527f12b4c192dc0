import { expect, test } from "vitest";
import type { Connection } from "#src/host/socket.ts";
import { frameType } from "#src/wire/frame.ts";
import { FrameSender } from "#src/wire/frame-sender.ts";

/** A connection whose peer takes nothing until it is told to. */
class SlowConnection implements Connection {
  readonly peer = "somebody slow";
  unsentBytes = 0;
  takesAll = false;

  sendAll(pieces: readonly Buffer[]): boolean {
    if (!this.takesAll) this.unsentBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    return this.takesAll;
  }

  send(buffer: Buffer, start: number, end: number): boolean {
    return this.sendAll([buffer.subarray(start, end)]);
  }

  start(): void {}
  expectAnswer(): void {}
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

const body = Buffer.alloc(4096);

test("the body of a large frame is free when the connection has taken it", () => {
  const connection = new SlowConnection();
  const sender = new FrameSender(connection);
  expect(sender.sendBulk(frameType.batches, [body])).toBe(false);
  connection.unsentBytes = 0;
  expect(sender.drained()).toBe(true);
  expect(sender.holdsBulk).toBe(false);
});

test("so it is where it waited behind a small frame, and then left at once", () => {
  const connection = new SlowConnection();
  const sender = new FrameSender(connection);
  sender.sendControl(frameType.askDurable, Buffer.alloc(8));
  expect(sender.sendBulk(frameType.batches, [body])).toBe(false);
  Object.assign(connection, { unsentBytes: 0, takesAll: true });
  expect(sender.drained()).toBe(true);
  expect(sender.holdsBulk).toBe(false);
});

test("where it is only on its way then, it is not free yet", () => {
  const connection = new SlowConnection();
  const sender = new FrameSender(connection);
  sender.sendControl(frameType.askDurable, Buffer.alloc(8));
  sender.sendBulk(frameType.batches, [body]);
  connection.unsentBytes = 0;
  expect(sender.drained()).toBe(false);
  connection.unsentBytes = 0;
  expect(sender.drained()).toBe(true);
});
