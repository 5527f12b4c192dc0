import { describe, expect, test } from "vitest";
import {
  nbdClientInFlightBytesMax,
  nbdClientInFlightCountMax,
  nbdClientQueueBytesMax,
  nbdClientQueueCountMax,
  nbdPayloadBytesMax,
} from "#src/core/nbd-limits.ts";
import { NbdConnectionError, NbdServerError } from "#src/nbd/client/errors.ts";
import { command, commandFlag, nbdError } from "#src/nbd/constants.ts";
import {
  decodeRequests,
  type HeardRequest,
  type Opened,
  open,
  requestTimeoutMs,
  simpleReply,
} from "./scripted-peer.ts";

function ignore(): void {}

/** Collects what callbacks are told, in their order. */
function outcomes() {
  const told: (Error | null)[] = [];
  return { told, done: (error: Error | null) => void told.push(error) };
}

function answer(opened: Opened, requests: readonly HeardRequest[], error = 0): void {
  opened.wire.say(...requests.map((request) => simpleReply(request, error)));
}

describe("requests of one turn of the event loop", () => {
  test("leave in one call, each with its own cookie", async () => {
    const opened = await open({ style: "simple" });
    const { told, done } = outcomes();
    const content = Buffer.from("0123456789");
    for (let index = 0; index < 10; index++) opened.client.submitWrite(index * 4096, content, index, 1, 0, done);
    opened.client.submitRead(0, Buffer.alloc(4), 0, 4, ignore);
    opened.client.submitFlush(done);
    expect(opened.wire.sendCount).toBe(0);
    const requests = opened.requests();
    expect(opened.wire.sendCount).toBe(1);
    expect(requests.map(({ type }) => type)).toEqual([...Array(10).fill(command.write), command.read, command.flush]);
    expect(requests.slice(0, 10).map(({ payload }) => payload.toString())).toEqual([..."0123456789"]);
    expect(new Set(requests.map(({ cookieLow }) => cookieLow)).size).toBe(12);
    answer(opened, [...requests.slice(0, 10), requests[11] as HeardRequest]);
    expect(told).toEqual(Array(11).fill(null));
  });

  test("that follow from replies leave in one call, too", async () => {
    const opened = await open({ style: "simple" });
    for (let index = 0; index < 8; index++) {
      opened.client.submitWrite(0, Buffer.of(1), 0, 1, 0, () => opened.client.submitFlush(ignore));
    }
    const requests = opened.requests();
    opened.wire.sendCount = 0;
    answer(opened, requests);
    expect(opened.wire.sendCount).toBe(1);
    expect(opened.clock.isIdle).toBe(true);
    expect(opened.requests().map(({ type }) => type)).toEqual(Array(8).fill(command.flush));
  });

  test("keep their order around a payload that is not copied", async () => {
    const opened = await open({ style: "simple" });
    const large = Buffer.alloc(3 << 20, "large ");
    opened.client.submitFlush(ignore);
    opened.client.submitWrite(0, large, 0, large.length, 0, ignore);
    opened.client.submitWrite(8192, Buffer.from("small"), 0, 5, commandFlag.fua, ignore);
    const requests = opened.requests();
    expect(requests.map(({ type }) => type)).toEqual([command.flush, command.write, command.write]);
    expect(requests[1]?.payload.equals(large)).toBe(true);
    expect(requests[2]).toMatchObject({ flags: commandFlag.fua, offset: 8192, payload: Buffer.from("small") });
  });

  test("wait, unharmed, while the connection takes nothing", async () => {
    const opened = await open({ style: "simple" });
    opened.wire.isSlow = true;
    const large = Buffer.alloc(5 << 20, "large ");
    const small = Buffer.from("small");
    opened.client.submitWrite(0, large, 0, large.length, 0, ignore);
    opened.clock.turn();
    opened.client.submitWrite(0, small, 0, 5, 0, ignore);
    opened.clock.turn();
    const heard: Buffer[] = [];
    while (opened.wire.unsentBytes > 0) {
      opened.wire.drain();
      heard.push(opened.wire.takeHeard());
      opened.clock.turn();
    }
    const requests = decodeRequests(Buffer.concat(heard), false);
    expect(requests.map(({ payloadBytes }) => payloadBytes)).toEqual([large.length, 5]);
    expect(requests[0]?.payload.equals(large)).toBe(true);
    expect(requests[1]?.payload.toString()).toBe("small");
  });
});

describe("a request larger than the server takes", () => {
  test.each([
    ["one that says so", 8192, 8192],
    ["one that says so in odd blocks", 10_000, 9728],
    ["one that takes anything", 0xffffffff, nbdPayloadBytesMax],
  ])("is sent in pieces to %s", async (_, payloadBytesMax, pieceBytes) => {
    const blockSizes = { minimumBytes: 512, preferredBytes: 4096, payloadBytesMax };
    const opened = await open({ style: "simple", blockSizes });
    const content = Buffer.alloc(2 * pieceBytes + 512);
    for (let at = 0; at < content.length; at += 512) content.writeUInt32BE(at, at);
    const { told, done } = outcomes();
    opened.client.submitWrite(1024, content, 0, content.length, commandFlag.fua, done);
    const requests: HeardRequest[] = [];
    for (let heard = opened.requests(); heard.length > 0; heard = opened.requests()) {
      requests.push(...heard);
      expect(told).toEqual([]);
      answer(opened, heard);
    }
    expect(requests.map(({ length }) => length)).toEqual([pieceBytes, pieceBytes, 512]);
    expect(requests.map(({ offset }) => offset)).toEqual([1024, 1024 + pieceBytes, 1024 + 2 * pieceBytes]);
    expect(requests.every(({ flags }) => flags === commandFlag.fua)).toBe(true);
    expect(Buffer.concat(requests.map(({ payload }) => payload)).equals(content)).toBe(true);
    expect(told).toEqual([null]);
  });

  test("is put together again when it is a read", async () => {
    const blockSizes = { minimumBytes: 1, preferredBytes: 512, payloadBytesMax: 512 };
    const opened = await open({ style: "simple", blockSizes });
    const reading = opened.client.read(0, 1200);
    const requests = opened.requests();
    for (const request of requests.reverse()) {
      opened.wire.say(simpleReply(request), Buffer.alloc(request.length, `${request.offset}.`));
    }
    const expected = [0, 512, 1024].map((offset) => Buffer.alloc(Math.min(512, 1200 - offset), `${offset}.`));
    expect((await reading).equals(Buffer.concat(expected))).toBe(true);
  });

  test("fails once, with its first error, when a piece fails, and the rest is not sent", async () => {
    const blockSizes = { minimumBytes: 1, preferredBytes: 512, payloadBytesMax: 512 };
    const opened = await open({ style: "simple", blockSizes });
    const { told, done } = outcomes();
    const byteLength = 512 * (nbdClientInFlightCountMax + 10);
    opened.client.submitWrite(0, Buffer.alloc(byteLength), 0, byteLength, 0, done);
    const [first, second, ...others] = opened.requests() as [HeardRequest, HeardRequest, ...HeardRequest[]];
    answer(opened, [first], nbdError.noSpace);
    answer(opened, [second], nbdError.io);
    expect(opened.requests()).toEqual([]);
    expect(told).toEqual([]);
    answer(opened, others);
    expect(told).toEqual([expect.objectContaining({ code: "ENOSPC" })]);
    expect(opened.requests()).toEqual([]);
    const flushing = opened.client.flush();
    answer(opened, opened.requests());
    await flushing;
  });

  test("is not cut when it has no payload, but for what a header can hold", async () => {
    const compact = await open({ style: "simple", sizeBytes: 2 ** 40 });
    compact.client.submitWriteZeroes(0, 2 ** 32, 0, ignore);
    expect(compact.requests().map(({ length }) => length)).toEqual([2 ** 32 - 65536, 65536]);
    const extended = await open({ style: "extended", sizeBytes: 2 ** 40 });
    extended.client.submitTrim(0, 2 ** 40, 0, ignore);
    expect(extended.requests().map(({ length }) => length)).toEqual([2 ** 40]);
  });
});

describe("extended headers", () => {
  test("say of a write, and of nothing else, that a payload follows", async () => {
    const opened = await open({ style: "extended" });
    opened.client.submitWrite(0, Buffer.of(1, 2), 0, 2, 0, ignore);
    opened.client.submitRead(0, Buffer.alloc(2), 0, 2, ignore);
    opened.client.submitTrim(0, 2, 0, ignore);
    expect(opened.requests().map(({ flags }) => flags)).toEqual([commandFlag.payloadLength, 0, 0]);
  });
});

describe("too much at once", () => {
  test("is held back to what may be under way, then sent as answers come", async () => {
    const opened = await open({ style: "simple" });
    const { told, done } = outcomes();
    const extra = 5;
    for (let index = 0; index < nbdClientInFlightCountMax + extra; index++) opened.client.submitFlush(done);
    const requests = opened.requests();
    expect(requests).toHaveLength(nbdClientInFlightCountMax);
    answer(opened, requests.slice(0, 2));
    expect(opened.requests()).toHaveLength(2);
    expect(told).toHaveLength(2);
  });

  test("is held back to the bytes that may be under way", async () => {
    const opened = await open({ style: "simple" });
    const buffer = Buffer.alloc(nbdPayloadBytesMax);
    for (let index = 0; index < 3; index++) opened.client.submitRead(0, buffer, 0, buffer.length, ignore);
    expect(opened.requests()).toHaveLength(nbdClientInFlightBytesMax / nbdPayloadBytesMax);
  });

  test("is refused when the queue is full, and there is word when there is room", async () => {
    const opened = await open({ style: "simple" });
    const { told, done } = outcomes();
    let taken = 0;
    while (opened.client.submitFlush(done)) taken++;
    expect(taken).toBe(nbdClientInFlightCountMax + nbdClientQueueCountMax);
    let hasRoom = 0;
    opened.client.whenRoom(() => hasRoom++);
    while (hasRoom === 0) answer(opened, opened.requests());
    expect(opened.client.submitFlush(done)).toBe(true);
    for (let heard = opened.requests(); heard.length > 0; heard = opened.requests()) answer(opened, heard);
    expect(hasRoom).toBe(1);
    expect(told).toEqual(Array(taken + 1).fill(null));
  });

  test("makes promises wait, in their order", async () => {
    const opened = await open({ style: "simple" });
    const order: number[] = [];
    const all = Array.from({ length: 3000 }, (_, index) => opened.client.flush().then(() => void order.push(index)));
    for (let heard = opened.requests(); heard.length > 0; heard = opened.requests()) answer(opened, heard);
    await Promise.all(all);
    expect(order).toEqual([...order.keys()]);
    expect(order).toHaveLength(3000);
  });

  test("fits into the queue when half of it is free, however much it is", async () => {
    const opened = await open({ style: "simple" });
    const buffer = Buffer.alloc(nbdPayloadBytesMax);
    const submit = (byteLength: number) => opened.client.submitRead(0, buffer, 0, byteLength, ignore);
    for (let bytes = 0; bytes < nbdClientInFlightBytesMax + nbdClientQueueBytesMax / 2; bytes += buffer.length) {
      expect(submit(buffer.length)).toBe(true);
    }
    const large = Buffer.alloc(nbdClientQueueBytesMax + 1);
    const submitLarge = () => opened.client.submitRead(0, large, 0, large.length, ignore);
    expect(submitLarge()).toBe(true);
    expect(submitLarge()).toBe(false);
    expect(submit(1)).toBe(false);
  });

  test("may be larger than the whole queue", async () => {
    const opened = await open({ style: "simple", sizeBytes: 2 ** 40 });
    const buffer = Buffer.alloc(3 * nbdPayloadBytesMax);
    expect(buffer.length).toBeGreaterThan(nbdClientQueueBytesMax);
    const reading = opened.client.readInto(0, buffer);
    for (let heard = opened.requests(); heard.length > 0; heard = opened.requests()) {
      for (const request of heard) opened.wire.say(simpleReply(request), Buffer.alloc(request.length, 7));
    }
    await reading;
    expect(buffer.equals(Buffer.alloc(buffer.length, 7))).toBe(true);
  });
});

describe("a connection that ends", () => {
  test("fails all that was asked for, sent or not, once each", async () => {
    const opened = await open({ style: "simple" });
    const { told, done } = outcomes();
    const count = nbdClientInFlightCountMax + 20;
    for (let index = 0; index < count; index++) opened.client.submitFlush(done);
    opened.requests();
    opened.wire.hangUp();
    expect(told).toEqual([]);
    opened.clock.turn();
    expect(told).toHaveLength(count);
    expect(new Set(told).size).toBe(1);
    expect(told[0]).toBeInstanceOf(NbdConnectionError);
    expect(told[0]?.message).toContain(`hung up with ${nbdClientInFlightCountMax} requests under way`);
    const late = opened.client.flush();
    opened.clock.turn();
    await expect(late).rejects.toBe(told[0]);
    expect(opened.clock.timerCount).toBe(0);
  });

  test("wakes those who wait for room, so that they learn of it", async () => {
    const opened = await open({ style: "simple" });
    const waiting = Array.from({ length: 3000 }, () => opened.client.flush());
    opened.wire.hangUp();
    opened.clock.turn();
    const results = await Promise.allSettled(waiting);
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
  });

  test("gives buffers back only when the connection is closed", async () => {
    const opened = await open({ style: "simple" });
    const { told, done } = outcomes();
    opened.client.submitRead(0, Buffer.alloc(4), 0, 4, done);
    opened.requests();
    opened.client.destroy();
    expect(opened.wire.ending).toBe("destroyed");
    expect(told).toEqual([]);
    opened.clock.turn();
    expect(told).toEqual([expect.objectContaining({ message: "this client was destroyed" })]);
  });

  test("tells nobody twice, not even who was told a moment before", async () => {
    const blockSizes = { minimumBytes: 1, preferredBytes: 512, payloadBytesMax: 512 };
    const opened = await open({ style: "simple", blockSizes });
    for (let index = 0; index < nbdClientInFlightCountMax - 1; index++) opened.client.submitFlush(ignore);
    const told: (Error | null)[] = [];
    // Its second piece finds no room, and waits in the queue while its first one fails.
    opened.client.submitWrite(0, Buffer.alloc(1024), 0, 1024, 0, (error) => {
      told.push(error);
      opened.client.destroy();
    });
    answer(opened, opened.requests().slice(-1), nbdError.io);
    opened.clock.turn();
    expect(told).toEqual([expect.objectContaining({ code: "EIO" })]);
  });

  test("may be asked for from inside of a callback", async () => {
    const opened = await open({ style: "simple" });
    const { told, done } = outcomes();
    opened.client.submitFlush(() => opened.client.destroy());
    opened.client.submitFlush(done);
    answer(opened, opened.requests());
    opened.clock.turn();
    expect(told).toEqual([expect.any(NbdConnectionError)]);
  });
});

describe("a goodbye", () => {
  test("waits for all that was asked for, then says so and hangs up", async () => {
    const opened = await open({ style: "simple" });
    const { told, done } = outcomes();
    const count = nbdClientInFlightCountMax + 2;
    for (let index = 0; index < count; index++) opened.client.submitFlush(done);
    const leaving = opened.client.disconnect();
    const types: number[] = [];
    for (let heard = opened.requests(); heard.length > 0; heard = opened.requests()) {
      types.push(...heard.map(({ type }) => type));
      answer(
        opened,
        heard.filter(({ type }) => type !== command.disconnect),
      );
    }
    expect(types).toEqual([...Array(count).fill(command.flush), command.disconnect]);
    expect(told).toEqual(Array(count).fill(null));
    expect(opened.wire.ending).toBe("ended");
    opened.wire.hangUp();
    opened.clock.turn();
    await leaving;
    expect(opened.clock.timerCount).toBe(0);
  });

  test("refuses what comes after it", async () => {
    const opened = await open({ style: "simple" });
    const leaving = opened.client.disconnect();
    const late = opened.client.flush();
    opened.clock.turn();
    await expect(late).rejects.toThrow("this client was disconnected");
    opened.wire.hangUp();
    opened.clock.turn();
    await leaving;
    const again = opened.client.disconnect();
    opened.clock.turn();
    await again;
    expect(opened.client.failure?.message).toBe("this client was disconnected");
  });

  test("leaves before the connection is hung up, however slow that is", async () => {
    const opened = await open({ style: "simple" });
    opened.wire.isSlow = true;
    const leaving = opened.client.disconnect();
    expect(opened.wire.ending).toBe("none");
    opened.wire.drain();
    expect(opened.wire.ending).toBe("ended");
    expect(opened.requests().map(({ type }) => type)).toEqual([command.disconnect]);
    opened.wire.hangUp();
    opened.clock.turn();
    await leaving;
  });

  test("does not wait for ever for a server that does not hang up", async () => {
    const opened = await open({ style: "simple" });
    const leaving = opened.client.disconnect();
    opened.clock.advance(requestTimeoutMs);
    expect(opened.wire.ending).toBe("destroyed");
    await leaving;
  });

  test("that a cut connection interrupts tells those who still wait what happened", async () => {
    const opened = await open({ style: "simple" });
    const flushing = opened.client.flush();
    opened.requests();
    const leaving = opened.client.disconnect();
    opened.wire.hangUp();
    opened.clock.turn();
    await expect(flushing).rejects.toThrow("the server hung up");
    await leaving;
  });

  test("follows when the server says that it is shutting down", async () => {
    const opened = await open({ style: "simple" });
    const asked = [opened.client.flush(), opened.client.flush()] as const;
    const [first, second] = opened.requests() as [HeardRequest, HeardRequest];
    answer(opened, [first], nbdError.shutdown);
    await expect(asked[0]).rejects.toThrow(NbdServerError);
    expect(opened.wire.ending).toBe("none");
    answer(opened, [second]);
    await asked[1];
    expect(opened.requests().map(({ type }) => type)).toEqual([command.disconnect]);
    expect(opened.wire.ending).toBe("ended");
    const late = opened.client.flush();
    opened.clock.turn();
    await expect(late).rejects.toThrow("the server is shutting down");
  });
});
