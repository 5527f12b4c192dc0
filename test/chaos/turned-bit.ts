/** A bit of the store's objects is turned. Whoever reads all of the store has to turn it back or to report it, or the object goes. */
import { closeSync, fstatSync, openSync, readdirSync, readSync, writeSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { WorkResult } from "#src/control/store-work.ts";
import { isRemnant, type ScrubFinding } from "#src/store/scrub-finding.ts";
import { filesUnder } from "#test/oracle/log-file-reader.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { Fault } from "./fault-kind.ts";
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
  readonly turned: number;
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
    const turned = before ^ (1 << random.integerBelow(8));
    writeSync(file, Buffer.from([turned]), 0, 1, at);
    return { at, before, turned };
  } finally {
    closeSync(file);
  }
}

async function turnedBack(world: World, path: string, { at, before, turned }: Place): Promise<void> {
  const what = `the bit that was turned at ${at} of ${basename(path)}`;
  const isThere = () => byteAt(path, at) === turned;
  const { id, result } = await world.worked("scrub", { anew: true });
  if (!isThere()) return;
  const findings = findingsOf(path, result);
  if (findings.length === 0) {
    if (!hasLaterGeneration(path)) throw new Error(`${what} was neither turned back nor reported by scrub ${id}`);
    return until(`${what} has gone with its segment`, async () => {
      if (isThere()) throw new Error("it is there, and so is a later generation");
    });
  }
  // It is in a part that is too long to try all of its bits: an alarm has to tell of it, and somebody brings the object back.
  if (!findings.every(isRemnant)) {
    await world.alarms.untilFires({ anyOf: ["TidemarkStoreDamaged"] }, what, { isMoot: () => !isThere() });
  }
  if (!putRight(path, at, before)) return;
  const again = await world.worked("scrub", { anew: true });
  if (findingsOf(path, again.result).length > 0) {
    throw new Error(`${what} was put right, and scrub ${again.id} has found ${again.result?.lines.join("; ")}`);
  }
}

function findingsOf(path: string, result: WorkResult | undefined): readonly ScrubFinding[] {
  return result?.findings?.filter(({ object }) => path.endsWith(`/objects/${object}`)) ?? [];
}

/** Of a segment: then nobody who comes now reads it, no scrub either, and it goes with a collection soon (docs/formats.md). */
function hasLaterGeneration(path: string): boolean {
  const [segment, generation] = basename(path).split(".");
  if (generation === undefined || !path.includes("/segments/")) return false;
  return readdirSync(dirname(path)).some((name) => name.startsWith(`${segment}.`) && name > basename(path));
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
