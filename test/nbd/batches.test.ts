/** Exports that do their work at the end of a batch, as one that commits a group of writes at once does. */
import { expect, test } from "vitest";
import { KiB } from "#src/core/limits.ts";
import { nbdRequestsInFlightMax } from "#src/core/nbd-limits.ts";
import type { ExportRequest } from "#src/nbd/export.ts";
import { request, type } from "#test/hostile/client-bytes.ts";
import { MemoryServer } from "#test/hostile/memory-server.ts";
import { ScriptedExport } from "#test/hostile/scripted-export.ts";

/** Leaves what `holds` to the end of the batch. */
class BatchingExport extends ScriptedExport {
  readonly held: ExportRequest[] = [];
  holds: (request: ExportRequest) => boolean = (one) => one.command === type.write;
  atEnd: (held: readonly ExportRequest[]) => void = (held) => {
    for (const one of held) this.finish(one);
  };

  override submit(one: ExportRequest): void {
    if (this.holds(one)) this.held.push(one);
    else super.submit(one);
  }

  override endBatch(): void {
    this.atEnd(this.held.splice(0));
  }
}

function write(cookie: bigint, offset: number, payload: Buffer): Buffer {
  return Buffer.concat([request("simple", { type: type.write, cookie, offset, length: payload.length }), payload]);
}

test("writes that are answered at the end of their batch are all written and all answered", async () => {
  const target = new BatchingExport();
  const client = (await MemoryServer.serving(target)).open();
  client.say(Buffer.concat([write(1n, 0, Buffer.from("one")), write(2n, 10, Buffer.from("two"))]));
  expect(client.replies().map((reply) => reply.cookie)).toEqual([1n, 2n]);
  expect(target.bytes.toString("latin1", 0, 13)).toBe("one\0\0\0\0\0\0\0two");
});

test("payloads that had to wait stay where they are until their batch has ended", async () => {
  const target = new BatchingExport();
  const found: string[] = [];
  target.atEnd = (held) => {
    // The last first: memory given back too early would be given to it, with the others still in it.
    for (const one of held.toReversed()) one.keep();
    for (const one of held) {
      found.push(String.fromCharCode(...new Set(one.buffer.subarray(one.start, one.start + one.length))));
      target.finish(one);
    }
  };
  target.keeps = (one) => one.command === type.flush;
  const client = (await MemoryServer.serving(target)).open();
  const flushes = Array.from({ length: nbdRequestsInFlightMax }, (_, at) =>
    request("simple", { type: type.flush, cookie: BigInt(at) }),
  );
  const writes = [..."ABCD"].map((letter, at) => write(BigInt(1000 + at), at * KiB, Buffer.alloc(KiB, letter)));
  client.say(Buffer.concat(flushes.slice(10)));
  // All that comes with the last flushes fits into one read, and has to wait.
  client.say(Buffer.concat([...flushes.slice(0, 10), ...writes]));
  expect(found).toEqual([]);
  target.release();
  client.replies();
  expect(found).toEqual(["A", "B", "C", "D"]);
});

test("a batch that ends the very requests it stopped for goes on by itself", async () => {
  const target = new BatchingExport();
  target.holds = (one) => {
    if (one.command === type.flush) one.keep();
    return one.command === type.flush;
  };
  const client = (await MemoryServer.serving(target)).open();
  const count = nbdRequestsInFlightMax + 44;
  const flushes = Array.from({ length: count }, (_, at) => request("simple", { type: type.flush, cookie: BigInt(at) }));
  const bytes = Buffer.concat(flushes);
  client.say(bytes.subarray(client.say(bytes)));
  expect(client.replies()).toHaveLength(count);
});
