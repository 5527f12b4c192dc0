/** The disks tried with a small program that appends and publishes: one life of it, ended by a cut of the power. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { succeed } from "#test/clients/command.ts";
import { Program } from "#test/oracle/program.ts";
import { patienceMs } from "#test/patience.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { type Habit, readRecord, recordBytes } from "./append-records.ts";
import type { FileSystemKind } from "./disk-commands.ts";
import { PowerDisk } from "./power-disk.ts";

const program = join(import.meta.dirname, "append-program.ts");

export interface Remains {
  /** The last record that the program said was durable, -1 for none; and the last that is there with all before it. */
  readonly appendedSaid: number;
  readonly appendedFound: number;
  readonly publishedSaid: number;
  readonly publishedFound: number;
}

function lastSaid(lines: readonly string[], word: string): number {
  return Number(lines.findLast((line) => line.startsWith(word))?.slice(word.length) ?? -1);
}

async function bytesOf(path: string): Promise<Buffer> {
  return readFile(path).catch(() => Buffer.alloc(0));
}

async function remainsOf(disk: PowerDisk, writer: Program): Promise<Remains> {
  await writer.kill();
  await disk.powerDown();
  await disk.powerUp();
  const log = await bytesOf(join(disk.path, "log"));
  const document = await bytesOf(join(disk.path, "document"));
  let found = 0;
  while (readRecord(log, found * recordBytes) === found) found++;
  await disk.remove();
  return {
    appendedSaid: lastSaid(writer.lines, "appended "),
    appendedFound: found - 1,
    publishedSaid: lastSaid(writer.lines, "published "),
    publishedFound: readRecord(document, 0) ?? -1,
  };
}

function start(disk: PowerDisk, habit: Habit, count: number): Program {
  return new Program("writer", [process.execPath, program, disk.path, habit, String(count)]);
}

/** Cuts the power in the middle of a request of a program that goes on for ever. */
export async function cutAtWork(seed: number, kind: FileSystemKind): Promise<Remains> {
  const disk = await PowerDisk.make(kind);
  const writer = start(disk, "careful", Number.POSITIVE_INFINITY);
  await writer.line((line) => line.startsWith("published"));
  await disk.cutAfter(new SeededRandom(seed).between(1, 60), seed);
  await disk.whenCut;
  return remainsOf(disk, writer);
}

/** Cuts the power in the middle of the given request of a program's first sync, or of what follows soon. */
export async function cutAtBegin(requests: number, seed: number, kind: FileSystemKind): Promise<Remains> {
  const disk = await PowerDisk.make(kind);
  await disk.cutAfter(requests, seed, patienceMs);
  const writer = start(disk, "careful", 3);
  const atRest = writer.line((line) => line === "published 2").then(() => disk.cut(seed));
  await Promise.any([disk.whenCut, atRest]);
  return remainsOf(disk, writer);
}

/** Cuts the power of a program that has said that all is durable. */
export async function cutAtRest(habit: Habit, seed: number): Promise<Remains> {
  const disk = await PowerDisk.make();
  // The kernel writes nothing by itself meanwhile, however slow the machine is; it would every five seconds.
  await succeed("mount", ["-o", "remount,commit=3600", disk.path]);
  const writer = start(disk, habit, 30);
  await writer.line((line) => line === "published 29");
  await disk.cut(seed);
  return remainsOf(disk, writer);
}
