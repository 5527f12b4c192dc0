/**
 * Objects of the store are damaged, one at a time. Whatever it is, views give what the host had written, or EIO: never anything
 * else, nor an error for what does not need the damaged object.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import type { ViewFacts } from "#src/control/view.ts";
import type { PointsReport } from "#src/control/volume-history.ts";
import { RunningProgram } from "#test/cli/running-program.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { shareOf } from "#test/long-share.ts";
import { filesUnder } from "#test/oracle/log-file-reader.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { runFio } from "./fio.ts";
import { WitnessedVolume } from "./witnessed-volume.ts";

needPrograms("setpriv", "fio");

const blockBytes = 4096;
const sizeBytes = 2 * MiB;
const blockCount = sizeBytes / blockBytes;
const kinds = ["segments", "pieces", "snapshots"] as const;
const trials = 24;
const pointsPerTrial = 5;
const settings = ["store.scrub.everySeconds=off", "store.snapshots.everySeconds=off", "store.collect.everySeconds=off"];

/** Of a view, the blocks that cannot be read; throws for one that is neither that nor what it must be. */
async function unreadable({ uri, seq }: ViewFacts, wanted: Buffer): Promise<number[]> {
  const client = await openVolume(uri);
  const lost: number[] = [];
  const bytes = Buffer.alloc(blockBytes);
  for (let block = 0; block < blockCount; block++) {
    const at = block * blockBytes;
    try {
      await client.readInto(at, bytes);
    } catch (error) {
      expect((error as { readonly code?: string }).code).toBe("EIO");
      lost.push(block);
      continue;
    }
    const isRight = wanted.compare(bytes, 0, blockBytes, at, at + blockBytes) === 0;
    expect(isRight, `block ${block} at seq ${seq}`).toBe(true);
  }
  await client.disconnect();
  return lost;
}

/** Turns bits of one byte; again, and they are as before. */
function turn(path: string, random: SeededRandom): () => void {
  const file = openSync(path, "r+");
  const position = random.integerBelow(fstatSync(file).size);
  const mask = random.between(1, 255);
  const flip = (): void => {
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, position);
    writeSync(file, Buffer.from([byte.readUInt8(0) ^ mask]), 0, 1, position);
  };
  flip();
  return () => {
    flip();
    closeSync(file);
  };
}

/** For each block the seq of the last record that says what it holds; 0: none does. */
function decidedBy({ order }: WitnessedVolume, seq: number): number[] {
  const seqs = Array.from({ length: blockCount }, () => 0);
  for (let index = 0; index < order.countUpTo(seq); index++) {
    const piece = order.pieces[index];
    if (piece !== undefined) seqs.fill(order.seqOf(index) ?? 0, piece.startBlock, piece.startBlock + piece.blockCount);
  }
  return seqs;
}

/** Whether a block at a point may need what this object has. */
function mayNeed(path: string, objects: readonly string[], seq: number, decidedSeq: number): boolean {
  const first = firstNumber(path);
  if (path.includes("/segments/")) return decidedSeq > 0;
  if (path.includes("/snapshots/")) return seq >= first && decidedSeq <= first;
  const later = objects.filter((object) => object.includes("/pieces/")).map(firstNumber);
  const next = Math.min(...later.filter((other) => other > first));
  return seq >= first && decidedSeq < next;
}

/** A piece's name says with which record it begins, a snapshot's of which it is. */
function firstNumber(path: string): number {
  return Number(/\d+/.exec(basename(path))?.[0]);
}

async function asked(up: RunningProgram, method: string, path: string, body?: object) {
  const response = await fetch(`${up.api}/api/v1${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  return { isOk: response.ok, answer: (await response.json()) as unknown };
}

async function writtenVolume(folder: string): Promise<WitnessedVolume> {
  const volume = await WitnessedVolume.make(folder, sizeBytes, "none");
  for (let round = 0; round < 3; round++) {
    const common = ["--ioengine=nbd", `--uri=${volume.uri}`, `--size=${sizeBytes}`, "--io_size=1g", "--norandommap"];
    await runFio([
      ...[
        "--name=writes",
        ...common,
        "--rw=randwrite",
        "--bssplit=4k/80:16k/20",
        "--number_ios=250",
        "--refill_buffers",
      ],
      ...[`--randseed=${round}`, "--buffer_compress_percentage=40", "--iodepth=8"],
      ...["--name=trims", ...common, "--rw=randtrim", "--bs=16k", "--number_ios=20"],
    ]);
    await volume.sealed();
    if (round < 2) await volume.asked("POST", "/volumes/disk/snapshots", {});
  }
  return volume;
}

test("fault 18: whatever object is damaged, views give what was written or EIO, for nothing else, and tell what is spoiled", async () => {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  const volume = await writtenVolume(folder);
  await volume.end();
  const random = new SeededRandom(60_018);
  const { first, last } = { first: volume.order.seqOf(0) ?? 1, last: volume.order.lastSeq };
  const objects = filesUnder(join(data, "remote/objects"));
  const hurt = { segments: 0, pieces: 0, snapshots: 0 };
  // A share of the trials, and more of them until one has spoiled something.
  for (let trial = 0; trial < trials && (trial < shareOf(trials) || hurt.segments === 0); trial++) {
    const kind = kinds[trial % kinds.length] ?? "segments";
    const path = random.pick(objects.filter((object) => object.includes(`/objects/${kind}/`)));
    const mend = turn(path, random);
    const up = await RunningProgram.start("up", data, ...settings.flatMap((setting) => ["--set", setting]));
    const seqs = [last, ...Array.from({ length: pointsPerTrial - 1 }, () => random.between(first, last))];
    for (const seq of seqs) {
      const { isOk, answer } = await asked(up, "POST", "/views", { volume: "disk", point: `seq:${seq}` });
      const { body: report } = await up.got("/api/v1/volumes/disk/points");
      const { damaged } = report as PointsReport;
      if (!isOk) {
        expect(JSON.stringify(answer)).toMatch(/damaged/);
        expect(damaged).not.toEqual([]);
        hurt[kind]++;
        continue;
      }
      const view = answer as ViewFacts;
      const decided = decidedBy(volume, seq);
      const lost = await unreadable(view, volume.expectedAt(seq));
      expect(lost.filter((block) => !mayNeed(path, objects, seq, decided[block] ?? 0))).toEqual([]);
      if (lost.length > 0) hurt[kind]++;
      await asked(up, "DELETE", `/views/${encodeURIComponent(view.name)}`);
    }
    await up.program.stop();
    mend();
  }
  console.info(JSON.stringify(hurt));
  expect(hurt.segments).toBeGreaterThan(0);
});
