/** An image in and out of each contender's repository, in rounds that take turns. */
import { rmSync, statSync } from "node:fs";
import { blockBytes } from "#src/core/limits.ts";
import { succeed } from "#test/clients/command.ts";
import type { Progress } from "./progress.ts";
import { roundDown } from "./rounding.ts";
import { interleave, median, ratioOf } from "./rounds.ts";
import { createScratch, type Scratch } from "./scratch.ts";
import { openRepository, type StoreContenderName, settingsOf, type Turn } from "./store-contenders.ts";
import type { StoreOptions } from "./store-options.ts";
import { carryOut } from "./store-orders.ts";
import { judged, type StoreCaseFigures, type StoreGoal } from "./store-results.ts";
import { addPackage, installedPackages, makeImage } from "./store-trees.ts";
import { warmMemory } from "./warm-memory.ts";

const MB = 1e6;
const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const ingestGoals = { restic: 3, borg: 2, casync: null } as const;
const restoreGoals = { restic: 3, borg: 3, casync: null } as const;
const compareMs = 60_000;

interface InAndOut {
  readonly add: Turn;
  /** Ours, with all the work in one thread. */
  readonly alone: { readonly unique: number; readonly known: number } | undefined;
  readonly restore: Turn;
  readonly physicalBytes: number;
}

const whyBorg = [
  "lz4, which borg takes by itself, packs and unpacks several times as fast as zstd and leaves more, as the table says. Of the 16 µs",
  "that a new block takes of a processor here, zstd has 10 and SHA-256 three and a half; of the five of reading, zstd has four.",
].join(" ");

type Series = ReadonlyMap<StoreContenderName, readonly InAndOut[]>;

export async function measureImage(options: StoreOptions, progress: Progress): Promise<StoreCaseFigures> {
  using scratch = createScratch(options.folder);
  const image = scratch.file("image");
  progress.show("image: making it");
  await makePackagesImage(scratch, image, options.imageMebibytes * MiB);
  const imageBytes = statSync(image).size;
  const names: readonly StoreContenderName[] = ["tidemark", ...options.peers];
  const schedule = { rounds: options.rounds, warmUpRounds: 1 };
  const series: Series = await interleave(names, schedule, async (name, round) => {
    progress.show(`image: round ${round}, ${name}`);
    await warmMemory(3 * GiB);
    return turnOf(name, scratch, image, imageBytes);
  });
  return figuresOf(series, imageBytes, names);
}

export async function makePackagesImage(scratch: Scratch, image: string, bytes: number): Promise<void> {
  const tree = scratch.file("tree");
  for (const one of installedPackages(bytes)) addPackage(tree, one);
  await makeImage(tree, image);
  rmSync(tree, { recursive: true });
}

async function turnOf(
  name: StoreContenderName,
  scratch: Scratch,
  image: string,
  imageBytes: number,
): Promise<InAndOut> {
  const folder = scratch.file("repository");
  const output = scratch.file("output");
  const repository = await openRepository(name, folder, "fast");
  const add = await repository.add(image, 0);
  const physicalBytes = repository.physicalBytes();
  const restore = await repository.restore(0, output);
  if (name === "tidemark") await succeed("cmp", [image, output], { timeoutMs: compareMs });
  rmSync(output, { force: true });
  rmSync(`${output}.folder`, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
  if (name !== "tidemark") return { add, restore, physicalBytes, alone: undefined };
  const order = { word: "seal", folder, threadCount: 0, effort: "normal", image } as const;
  await openRepository(name, folder, "fast");
  const [unique, known] = [await carryOut(order), await carryOut(order)];
  rmSync(folder, { recursive: true, force: true });
  const uniqueBytes = unique.keptCount * blockBytes;
  return {
    add,
    restore,
    physicalBytes,
    alone: { unique: uniqueBytes / unique.cpuSeconds, known: imageBytes / known.cpuSeconds },
  };
}

function figuresOf(series: Series, imageBytes: number, names: readonly StoreContenderName[]): StoreCaseFigures {
  const rateOf = (pick: (turn: InAndOut) => number) => (name: StoreContenderName) => (series.get(name) ?? []).map(pick);
  const addRates = rateOf(({ add }) => imageBytes / add.seconds);
  const restoreRates = rateOf(({ restore }) => imageBytes / restore.seconds);
  const workRates = rateOf(({ restore }) => imageBytes / (restore.workSeconds ?? restore.seconds));
  const rows = names.map((name) => [
    name,
    settingsOf[name].fast,
    (median(addRates(name)) / MB).toFixed(0),
    (median(restoreRates(name)) / MB).toFixed(0),
    (median((series.get(name) ?? []).map(({ physicalBytes }) => physicalBytes)) / MiB).toFixed(0),
  ]);
  const about = [
    `A file system of ${(imageBytes / GiB).toFixed(1)} GiB with the files of Debian's packages of this machine, in memory, as all`,
    "repositories. Times are of whole processes, from start to end. Per core: bytes by seconds of processor time, of a process",
    "that does all in one thread. Restored is to a file.",
  ].join(" ");
  const goals = [
    ...perCoreGoals(series),
    ...ratioGoals("in", addRates, ingestGoals, names),
    rateGoal("sequential restore, without the start of the process", workRates("tidemark"), 1000),
    ...ratioGoals("out", restoreRates, restoreGoals, names),
  ];
  const tables = [{ header: ["Contender", "settings", "in, MB/s", "out, MB/s", "kept, MiB"], rows }];
  return { name: "image", title: "An image in and out", about, tables, goals };
}

function perCoreGoals(series: Series): StoreGoal[] {
  const alone = (series.get("tidemark") ?? []).flatMap((turn) => turn.alone ?? []);
  return [
    rateGoal(
      "what is new, per core",
      alone.map(({ unique }) => unique),
      250,
    ),
    rateGoal(
      "what is known, per core",
      alone.map(({ known }) => known),
      600,
    ),
  ];
}

export function rateGoal(what: string, rates: readonly number[], goal: number): StoreGoal {
  const [lowest, highest] = [Math.min(...rates), Math.max(...rates)].map((rate) => Math.floor(rate / MB));
  const value = Math.floor(median(rates) / MB);
  return judged({ what, unit: " MB/s", value, ...spanOf(lowest, highest), bound: "at least", goal });
}

function spanOf(lowest: number | undefined, highest: number | undefined) {
  return lowest === undefined || highest === undefined ? {} : { lowest, highest };
}

function ratioGoals(
  what: string,
  rates: (name: StoreContenderName) => readonly number[],
  goals: Readonly<Record<Exclude<StoreContenderName, "tidemark">, number | null>>,
  names: readonly StoreContenderName[],
): StoreGoal[] {
  return names.flatMap((name) => {
    const goal = name === "tidemark" ? null : goals[name];
    if (goal === null) return [];
    const { ofMedians, lowest, highest } = ratioOf(rates("tidemark"), rates(name));
    const span = { lowest: roundDown(lowest, 2), highest: roundDown(highest, 2) };
    const why = name === "borg" ? { why: whyBorg } : {};
    return [
      judged({ what: `${what}, to ${name}`, unit: "×", value: ofMedians, ...span, bound: "at least", goal, ...why }),
    ];
  });
}
