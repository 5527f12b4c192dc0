import { describe, expect, test } from "vitest";
import { NbdConnectionError } from "#src/nbd/client/errors.ts";
import { replyType } from "#src/nbd/constants.ts";
import { chunk, type HeardRequest, numbers, open, requestTimeoutMs, simpleReply } from "./scripted-peer.ts";

/** The watch looks four times per time-out, so it notices at most a fourth of it late. */
const noticedMs = requestTimeoutMs * 1.25;

describe("a server that went silent", () => {
  test("is given up after the time-out, not before, and all requests fail saying so", async () => {
    const { client, clock, wire, requests } = await open({ style: "simple" });
    const told: (Error | null)[] = [];
    client.submitWrite(4096, Buffer.of(1), 0, 1, 0, (error) => void told.push(error));
    client.submitFlush((error) => void told.push(error));
    expect(requests()).toHaveLength(2);
    clock.advance(requestTimeoutMs - 1);
    expect(wire.ending).toBe("none");
    clock.advance(noticedMs - requestTimeoutMs + 1);
    expect(wire.ending).toBe("destroyed");
    expect(told).toHaveLength(2);
    expect(told[0]).toBeInstanceOf(NbdConnectionError);
    expect(told[0]?.message).toBe("no progress in 1000 ms: write of 1 bytes at 4096");
    expect(told[1]).toBe(told[0]);
    expect(clock.timerCount).toBe(0);
  });

  /** Something else is asked, and answered, so often as this takes. */
  async function answeringOthers(durationMs: number) {
    const { client, clock, wire, requests } = await open({ style: "simple" });
    const waiting = client.trim(512, 512);
    waiting.catch(() => {});
    const [request] = requests() as [HeardRequest];
    for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += 50) {
      const flushing = client.flush();
      flushing.catch(() => {});
      wire.say(...requests().map((other) => simpleReply(other)));
      clock.advance(50);
    }
    return { clock, wire, waiting, request };
  }

  test("is not one that answers others first: it may be at work on something long", async () => {
    const { wire, waiting, request } = await answeringOthers(5 * requestTimeoutMs);
    wire.say(simpleReply(request));
    await waiting;
  });

  test("is noticed a time-out after its last answer, whatever that was to", async () => {
    const { clock, wire, waiting } = await answeringOthers(5 * requestTimeoutMs);
    clock.advance(requestTimeoutMs - 250);
    expect(wire.ending).toBe("none");
    clock.advance(500);
    await expect(waiting).rejects.toThrow("trim of 512 bytes at 512");
  });

  test("on one request alone has forgotten it: that is noticed, later", async () => {
    const { waiting } = await answeringOthers(11 * requestTimeoutMs);
    await expect(waiting).rejects.toThrow("trim of 512 bytes at 512");
  });

  test("is not one that is slow to send a large reply", async () => {
    const { client, clock, wire, requests } = await open({ style: "simple" });
    const reading = client.read(0, 64);
    const [request] = requests() as [HeardRequest];
    wire.say(simpleReply(request));
    for (let index = 0; index < 64; index++) {
      clock.advance(requestTimeoutMs / 2);
      wire.say(Buffer.of(index));
    }
    expect(await reading).toHaveLength(64);
  });

  test("is not one that is slow to take a large request", async () => {
    const { client, clock, wire, requests } = await open({ style: "simple" });
    wire.isSlow = true;
    const content = Buffer.alloc(8 << 20);
    const writing = client.write(0, content);
    clock.turn();
    while (wire.unsentBytes > 0) {
      clock.advance(requestTimeoutMs * 0.9);
      wire.drain();
    }
    wire.say(...requests().map((request) => simpleReply(request)));
    await writing;
  });

  test("is noticed when it stops taking a request", async () => {
    const { client, clock, wire } = await open({ style: "simple" });
    wire.isSlow = true;
    const writing = client.write(0, Buffer.alloc(8 << 20));
    clock.turn();
    wire.drain();
    clock.advance(requestTimeoutMs * 1.5);
    await expect(writing).rejects.toThrow("no progress");
  });

  test("is noticed behind error chunks without end", async () => {
    const { client, clock, wire, requests } = await open({ style: "structured" });
    const reading = client.read(0, 64);
    reading.catch(() => {});
    const [request] = requests() as [HeardRequest];
    const error = { type: replyType.error, payload: numbers([32, 5], [16, 0]), isLast: false };
    for (let elapsedMs = 0; elapsedMs < noticedMs; elapsedMs += 50) {
      wire.say(chunk("structured", request, error));
      clock.advance(50);
    }
    await expect(reading).rejects.toThrow("no progress");
  });

  describe("that is flushing", () => {
    const waiting = { waitsForFlushes: true } as const;

    test("may take as long as it takes, where that is waited for, and all who wait behind it", async () => {
      const { client, clock, wire, requests } = await open({ style: "simple" }, waiting);
      const told: (Error | null)[] = [];
      client.submitFlush((error) => void told.push(error));
      clock.advance(requestTimeoutMs / 2);
      client.submitWrite(4096, Buffer.of(1), 0, 1, 0, (error) => void told.push(error));
      clock.advance(100 * requestTimeoutMs);
      expect([told, wire.ending]).toEqual([[], "none"]);
      const both = requests();
      wire.say(simpleReply(both[0] as HeardRequest));
      clock.advance(requestTimeoutMs / 2);
      wire.say(simpleReply(both[1] as HeardRequest));
      expect(told).toEqual([null, null]);
    });

    test("is noticed to have forgotten a request that others overtake, flushes or not", async () => {
      const { client, clock, wire, requests } = await open({ style: "simple" }, waiting);
      const forgotten = client.trim(512, 512);
      forgotten.catch(() => {});
      requests();
      const slow = client.flush();
      slow.catch(() => {});
      requests();
      for (let elapsedMs = 0; elapsedMs < 11 * requestTimeoutMs; elapsedMs += 50) {
        const other = client.cache(0, 512);
        other.catch(() => {});
        wire.say(...requests().map((request) => simpleReply(request)));
        clock.advance(50);
      }
      await expect(forgotten).rejects.toThrow("trim of 512 bytes at 512");
    });

    test("is noticed to have gone silent by who leaves it", async () => {
      const { client, clock, wire } = await open({ style: "simple" }, waiting);
      const flushing = client.flush();
      clock.advance(10 * requestTimeoutMs);
      expect(wire.ending).toBe("none");
      const leaving = client.disconnect();
      clock.advance(noticedMs);
      await expect(flushing).rejects.toThrow("no progress in 1000 ms: flush");
      await leaving;
    });

    test("is noticed when it stops taking requests before the flush has left", async () => {
      const { client, clock, wire } = await open({ style: "simple" }, waiting);
      wire.isSlow = true;
      const writing = client.write(0, Buffer.alloc(8 << 20));
      const flushing = client.flush();
      flushing.catch(() => {});
      clock.turn();
      wire.drain();
      clock.advance(requestTimeoutMs * 1.5);
      await expect(writing).rejects.toThrow("no progress");
    });
  });

  test("is nobody's concern while nothing is asked of it", async () => {
    const { client, clock, wire, requests } = await open({ style: "simple" });
    const first = client.flush();
    wire.say(...requests().map((request) => simpleReply(request)));
    await first;
    clock.advance(100 * requestTimeoutMs);
    expect(clock.timerCount).toBe(0);
    const second = client.flush();
    wire.say(...requests().map((request) => simpleReply(request)));
    await second;
    expect(client.failure).toBeUndefined();
  });
});
