/** Another NBD server's export as a volume's source, over a real socket. */
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { blockBytes, GiB, MiB } from "#src/core/limits.ts";
import { nbdClientClearPieceBytes, nbdClientClearPiecesMax } from "#src/core/nbd-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { openBlockDevice } from "#src/host/node/block-device.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import { openNbdSource } from "#src/interceptor/nbd-source.ts";
import type { Source } from "#src/interceptor/source.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import { DeviceExport } from "#src/nbd/device-export.ts";
import type { NbdExport } from "#src/nbd/export.ts";
import { ScriptedExport } from "#test/hostile/scripted-export.ts";
import { serve, turn, until } from "#test/hostile/served.ts";

const sizeBytes = 8 * MiB;

async function opened(target: NbdExport): Promise<Source> {
  const { path } = await serve(target);
  const source = await openNbdSource({
    address: { kind: "unix", path },
    exportName: target.name,
    sockets: nodeSockets,
    clock: nodeClock,
  });
  onTestFinished(() => source.close());
  return source;
}

async function fileExport(): Promise<NbdExport> {
  const folder = await mkdtemp(join(tmpdir(), "tidemark-source-"));
  const path = join(folder, "image");
  await writeFile(path, "");
  await truncate(path, sizeBytes);
  const device = openBlockDevice(path, { readOnly: false });
  onTestFinished(async () => {
    device.close();
    await rm(folder, { recursive: true });
  });
  return new DeviceExport(device, { name: "disk", description: "", clock: nodeClock });
}

function done(start: (callback: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === null ? resolve() : reject(error)));
  });
}

test("what is written there is read, cleared and found again as holes", async () => {
  const source = await opened(await fileExport());
  const payload = Buffer.alloc(3 * MiB, "tidemark");
  await done((callback) => source.write(payload, 0, payload.length, MiB, callback));
  const back = Buffer.alloc(payload.length);
  await done((callback) => source.read(back, 0, back.length, MiB, callback));
  expect(back.equals(payload)).toBe(true);
  expect(source.trimReadsZeros).toBe(true);
  await done((callback) => source.clear(2 * MiB, MiB, false, callback));
  await done((callback) => source.sync(callback));
  const extents = await new Promise((resolve) => {
    source.extents(0, sizeBytes, 10, (_error, found) => resolve(found));
  });
  expect(extents).toEqual([
    { lengthBytes: MiB, hole: true, zero: true },
    { lengthBytes: MiB, hole: false, zero: false },
    { lengthBytes: MiB, hole: true, zero: true },
    { lengthBytes: MiB, hole: false, zero: false },
    { lengthBytes: 4 * MiB, hole: true, zero: true },
  ]);
});

test("many writes at once all arrive", async () => {
  const source = await opened(await fileExport());
  const block = (value: number): Buffer => Buffer.alloc(blockBytes, value);
  const writes = Array.from({ length: 1_500 }, (_, at) =>
    done((callback) => source.write(block(at % 251), 0, blockBytes, at * blockBytes, callback)),
  );
  await Promise.all(writes);
  const back = Buffer.alloc(1_500 * blockBytes);
  await done((callback) => source.read(back, 0, back.length, 0, callback));
  for (let at = 0; at < 1_500; at++) expect(back[at * blockBytes]).toBe(at % 251);
});

test("an extent that goes beyond what was asked for is cut", async () => {
  const target = new ScriptedExport({ sizeBytes });
  target.runs = () => [{ lengthBytes: sizeBytes, status: 3 }];
  const source = await opened(target);
  const extents = await new Promise((resolve) => {
    source.extents(MiB, MiB, 10, (_error, found) => resolve(found));
  });
  expect(extents).toEqual([{ lengthBytes: MiB, hole: true, zero: true }]);
});

describe("a long clear", () => {
  const pieceBytes = nbdClientClearPieceBytes;

  async function cleared(lengths: readonly number[]) {
    const target = new ScriptedExport({ sizeBytes: 64 * GiB, memoryBytes: 0 });
    target.keeps = (request) => request.command === command.writeZeroes;
    const source = await opened(target);
    const outcomes: string[] = [];
    for (const [at, length] of lengths.entries()) {
      source.clear(at * 4 * GiB, length, false, (error) => outcomes.push(error?.message ?? `${at} done`));
    }
    return { target, source, outcomes };
  }

  test("reaches a server in pieces, a few at a time, and clears take turns", async () => {
    const { target, outcomes } = await cleared([8 * pieceBytes + blockBytes, 2 * pieceBytes, blockBytes]);
    const begun: number[] = [];
    const seenBytes = [0, 0, 0];
    let isSmall = true;
    while (outcomes.length < 3) {
      await until(() => target.kept.length > 0 || outcomes.length === 3);
      isSmall &&=
        target.kept.length <= nbdClientClearPiecesMax && target.kept.every(({ length }) => length <= pieceBytes);
      const one = target.kept.shift();
      if (one === undefined) break;
      const { offset, length } = one;
      const of = Math.floor(offset / (4 * GiB));
      // Each where the one before has ended: so nothing is left out.
      begun.push(offset - of * 4 * GiB - (seenBytes[of] ?? 0));
      seenBytes[of] = (seenBytes[of] ?? 0) + length;
      one.complete(nbdError.ok);
    }
    expect(begun.every((gap) => gap === 0)).toBe(true);
    expect(seenBytes).toEqual([8 * pieceBytes + blockBytes, 2 * pieceBytes, blockBytes]);
    expect([isSmall, outcomes]).toEqual([true, ["2 done", "1 done", "0 done"]]);
  });

  test("of which a piece fails, fails when all that is under way has ended, and no more is begun", async () => {
    const { target, outcomes } = await cleared([GiB]);
    await until(() => target.kept.length === nbdClientClearPiecesMax);
    target.kept.shift()?.complete(nbdError.noSpace);
    for (let turns = 0; turns < 10; turns++) await turn();
    expect(outcomes).toEqual([]);
    target.release();
    await until(() => outcomes.length > 0);
    expect(outcomes).toEqual([expect.stringContaining("ENOSPC")]);
    expect(target.seen).toHaveLength(nbdClientClearPiecesMax);
  });

  test("ends in the middle where nobody may wait for it", async () => {
    const { target, source, outcomes } = await cleared([GiB, GiB]);
    await until(() => target.kept.length === nbdClientClearPiecesMax);
    source.endClears();
    target.release();
    await until(() => outcomes.length === 2);
    expect(outcomes).toEqual(["the source was closed", "the source was closed"]);
    expect(target.seen).toHaveLength(nbdClientClearPiecesMax);
  });
});

test("a server that goes away under a source nobody writes to is told of, with what to do", async () => {
  const target = new ScriptedExport({ sizeBytes });
  const { server, path } = await serve(target);
  const address = { kind: "unix", path } as const;
  const source = await openNbdSource({ address, exportName: target.name, sockets: nodeSockets, clock: nodeClock });
  const lost = new Promise<Error>((resolve) => source.whenLost?.(resolve));
  await server.close(0);
  expect((await lost).message).toMatch(/the server of the source is gone \(.+\): .* 'tidemark volume unfence'/);
  const reading = done((callback) => source.read(Buffer.alloc(512), 0, 512, 0, callback));
  await expect(reading).rejects.toThrow();
  await source.close();
});

/** The real one, but that its timers are called when a test says so. */
function handWound(): { readonly clock: Clock; readonly strike: () => void } {
  const due = new Set<() => void>();
  const timer: Clock["timer"] = (_delayMs, callback) => {
    due.add(callback);
    return { cancel: () => void due.delete(callback) };
  };
  const strike = (): void => {
    for (const callback of [...due]) {
      due.delete(callback);
      callback();
    }
  };
  return { clock: { ...nodeClock, timer }, strike };
}

describe("a server", () => {
  test("that is slow to flush is waited for as long as the connection stands, and none is that forgets a write", async () => {
    const target = new ScriptedExport({ sizeBytes });
    target.keeps = () => true;
    const { path } = await serve(target);
    const { clock, strike } = handWound();
    const address = { kind: "unix", path } as const;
    const source = await openNbdSource({ address, exportName: target.name, sockets: nodeSockets, clock });
    const outcomes: (string | undefined)[] = [];
    source.sync((error) => outcomes.push(error?.message));
    await until(() => target.kept.length === 1);
    for (let count = 0; count < 100; count++) strike();
    target.release();
    await until(() => outcomes.length === 1);
    expect(outcomes).toEqual([undefined]);
    source.write(Buffer.alloc(512), 0, 512, 0, (error) => outcomes.push(error?.message));
    await until(() => target.kept.length === 1);
    for (let count = 0; count < 6; count++) strike();
    await until(() => outcomes.length === 2);
    expect(outcomes[1]).toContain("no progress in 60000 ms: write");
    target.release();
    await source.close();
  });

  test("that cannot zero has zeros written to it, and trims are none", async () => {
    const target = new ScriptedExport({ sizeBytes, features: { writeZeroes: false } });
    target.bytes.fill(1);
    const source = await opened(target);
    expect(source.trimReadsZeros).toBe(false);
    await done((callback) => source.clear(MiB, 2 * MiB + 5, true, callback));
    expect(target.bytes.subarray(MiB, 3 * MiB + 5).equals(Buffer.alloc(2 * MiB + 5))).toBe(true);
    expect(target.bytes[3 * MiB + 5]).toBe(1);
  });

  test.each([
    ["that is read-only", { readOnly: true }, "read-only"],
    ["that cannot flush", { flush: false }, "cannot flush"],
  ])("%s is no source", async (_what, features, message) => {
    await expect(opened(new ScriptedExport({ sizeBytes, features }))).rejects.toThrow(message);
  });

  test("that says no is an error of that call", async () => {
    const target = new ScriptedExport({ sizeBytes });
    target.fails = (request) => (request.command === 1 ? 28 : 0);
    const source = await opened(target);
    const failed = done((callback) => source.write(Buffer.alloc(512), 0, 512, 0, callback));
    await expect(failed).rejects.toMatchObject({ code: "ENOSPC" });
  });
});
