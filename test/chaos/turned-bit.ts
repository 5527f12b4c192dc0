/** A bit of the store's objects is turned. Whoever reads all of the store has to turn it back, or the object has gone by then. */
import { closeSync, fstatSync, openSync, readdirSync, readSync, writeSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { JobReport } from "#src/control/job.ts";
import { filesUnder } from "#test/oracle/log-file-reader.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { Fault } from "./faults.ts";
import { until } from "./until.ts";
import type { World } from "./world.ts";

/** The newest are still being looked at by whoever made them: what is read back wrong then is written anew, and no fault of a disk. */
const newestLeft = 1;

export async function turnBit(world: World, random: SeededRandom, kind: string): Promise<Fault | undefined> {
  const all = filesUnder(world.sites.dataOf("remote")).filter((path) => path.includes(`/objects/${kind}/`));
  const paths = all.slice(0, -newestLeft);
  if (paths.length === 0) return undefined;
  const path = random.pick(paths);
  const place = turn(path, random);
  return place === undefined ? undefined : { end: () => turnedBack(world, path, place) };
}

interface Place {
  readonly at: number;
  readonly before: number;
}

/** Undefined: it has gone meanwhile. */
function turn(path: string, random: SeededRandom): Place | undefined {
  let file: number;
  try {
    file = openSync(path, "r+");
  } catch {
    return undefined;
  }
  try {
    const at = random.integerBelow(fstatSync(file).size);
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at);
    const before = byte.readUInt8(0);
    writeSync(file, Buffer.from([before ^ (1 << random.integerBelow(8))]), 0, 1, at);
    return { at, before };
  } finally {
    closeSync(file);
  }
}

async function turnedBack(world: World, path: string, { at, before }: Place): Promise<void> {
  const { id, result } = await scrubbed(world);
  const found = byteAt(path, at);
  if (found === undefined || found === before || isReplaced(path)) return;
  const what = `the bit that was turned at ${at} of ${basename(path)}`;
  if (result?.isSound !== false) throw new Error(`${what} was neither turned back nor reported by scrub ${id}`);
  // It is in a part that is too long to try all of its bits: somebody brings the object back.
  if (!putRight(path, at, before)) return;
  const again = await scrubbed(world);
  if (again.result?.isSound !== true) {
    throw new Error(`${what} was put right, and scrub ${again.id} has found ${again.result?.lines.join("; ")}`);
  }
}

async function scrubbed(world: World): Promise<JobReport> {
  const { id } = await until("a scrub is taken", async () => {
    return (await world.asked("remote", "POST", "/store/scrub", { anew: true })) as JobReport;
  });
  return until(`scrub ${id} has ended`, async () => {
    const job = (await world.asked("remote", "GET", `/jobs/${id}`)) as JobReport;
    if (job.state !== "done") throw new Error(`it is ${job.state}: ${job.why}`);
    return job;
  });
}

/** Answers whether it was there yet. */
function putRight(path: string, at: number, before: number): boolean {
  let file: number;
  try {
    file = openSync(path, "r+");
  } catch {
    return false;
  }
  writeSync(file, Buffer.from([before]), 0, 1, at);
  closeSync(file);
  return true;
}

/** A folded piece has taken its place: nobody reads it any more, and it goes soon. Names alone say so (docs/formats.md). */
function isReplaced(path: string): boolean {
  const [firstSeq, generation] = seqsOf(path);
  return readdirSync(dirname(path)).some((name) => {
    const [first, otherGeneration, last] = seqsOf(name);
    return otherGeneration > generation && first <= firstSeq && firstSeq <= last;
  });
}

function seqsOf(path: string): readonly [first: number, generation: number, last: number] {
  const match = /^(\d{16})(?:-(\d{16})\.(\d{4}))?$/.exec(basename(path));
  return [Number(match?.[1]), Number(match?.[3] ?? 0), Number(match?.[2])];
}

/** Undefined: the object has gone. */
function byteAt(path: string, at: number): number | undefined {
  try {
    const file = openSync(path, "r");
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at);
    closeSync(file);
    return byte.readUInt8(0);
  } catch {
    return undefined;
  }
}
