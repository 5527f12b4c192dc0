/** What is in a point comes out of it: through a view and by a restore, beside others that have the same as a plain file. */
import { rmSync } from "node:fs";
import { succeed } from "#test/clients/command.ts";
import { runFio, type Workload } from "./fio.ts";
import { makePointsData, type PointsData } from "./points-data.ts";
import type { PointsCaseName, PointsOptions } from "./points-options.ts";
import { openView, restoreTo } from "./points-process.ts";
import { type PeerFigures, peerFigures } from "./points-results.ts";
import { interleave } from "./rounds.ts";
import { createScratch, type Scratch } from "./scratch.ts";
import { startServer } from "./server.ts";
import { warmMemory } from "./warm-memory.ts";

const KiB = 1024;
const MB = 1e6;
const copyMs = 10 * 60_000;

export const readingCases = ["view-random", "view-sequential", "restore"] as const satisfies readonly PointsCaseName[];
type ViewCase = "view-random" | "view-sequential";

interface Reading {
  readonly name: PointsCaseName;
  readonly title: string;
  readonly point: "first" | "last";
  readonly goals: PeerFigures["goals"];
  /** Of a restore. */
  readonly isVerified?: boolean;
}

const inDisorder = "an eighth written again";

const readings: readonly Reading[] = [
  {
    ...{ name: "view-random", title: `view, 4 KiB in disorder, depth 32; ${inDisorder}`, point: "last" },
    goals: { ratio: 0.25 },
  },
  {
    ...{ name: "view-sequential", title: "view, 1 MiB in a row, depth 8; as it was written first", point: "first" },
    goals: { own: 1000 },
  },
  {
    ...{ name: "view-sequential", title: `view, 1 MiB in a row, depth 8; ${inDisorder}`, point: "last" },
    goals: {},
  },
  { name: "restore", title: "restore; as it was written first", point: "first", goals: { ratio: 0.8 } },
  { name: "restore", title: `restore; ${inDisorder}`, point: "last", goals: {} },
  { name: "restore", title: "restore, and all compared once more", point: "first", goals: {}, isVerified: true },
];

const workloads: { readonly [Name in ViewCase]: Workload } = {
  "view-random": { access: "randread", blockBytes: 4 * KiB, depth: 32, connections: 1 },
  "view-sequential": { access: "read", blockBytes: 1024 * KiB, depth: 8, connections: 1 },
};

export async function measureReading(options: PointsOptions, show: (what: string) => void): Promise<PeerFigures[]> {
  using scratch = createScratch(options.folder);
  const data = await makePointsData(scratch, options.imageMebibytes, show);
  const figures: PeerFigures[] = [];
  const place = { scratch, data, options, show };
  for (const reading of readings) {
    const { name } = reading;
    if (!options.cases.includes(name)) continue;
    const isOfView = name === "view-random" || name === "view-sequential";
    figures.push(isOfView ? await measureView(name, reading, place) : await measureRestore(reading, place));
  }
  return figures;
}

interface Place {
  readonly scratch: Scratch;
  readonly data: PointsData;
  readonly options: PointsOptions;
  readonly show: (what: string) => void;
}

async function measureView(name: ViewCase, { title, point, goals }: Reading, place: Place): Promise<PeerFigures> {
  const { scratch, data, options, show } = place;
  const { rounds, seconds } = options;
  const { image, seq } = data[point];
  using sockets = createScratch("/tmp");
  await using view = await openView(data, seq, sockets);
  await using peer = await startServer("nbdkit", image, sockets.file("nbdkit.sock"));
  const workload = workloads[name];
  const series = await interleave(["own", "peer"] as const, { rounds, warmUpRounds: 1 }, async (who, round) => {
    show(`${title}: round ${round} of ${rounds}, ${who}`);
    const uri = who === "own" ? view.uri : peer.uri;
    const reportFile = scratch.file("fio.json");
    const run = { uris: [uri], sizeBytes: data.sizeBytes, seconds, seed: round, reportFile } as const;
    const { iops } = await runFio(workload, run);
    return name === "view-random" ? iops / 1000 : (iops * workload.blockBytes) / MB;
  });
  const unit = name === "view-random" ? "k/s" : "MB/s";
  return peerFigures({ name, title, peer: "nbdkit file", unit, goals, series });
}

async function measureRestore({ name, title, point, goals, isVerified = false }: Reading, place: Place) {
  const { scratch, data, options, show } = place;
  const { rounds } = options;
  const { image, seq } = data[point];
  const target = scratch.file("restored");
  const series = await interleave(["own", "peer"] as const, { rounds, warmUpRounds: 1 }, async (who, round) => {
    show(`${title}: round ${round} of ${rounds}, ${who}`);
    await warmMemory(2 * data.sizeBytes);
    const began = performance.now();
    if (who === "own") await restoreTo(data, { seq, target, isVerified }, scratch);
    else await succeed("qemu-img", ["convert", "-f", "raw", "-O", "raw", image, target], { timeoutMs: copyMs });
    const seconds = (performance.now() - began) / 1000;
    if (who === "own" && round === 0) await succeed("cmp", [image, target], { timeoutMs: copyMs });
    rmSync(target);
    return data.sizeBytes / MB / seconds;
  });
  return peerFigures({ name, title, peer: "qemu-img convert", unit: "MB/s", goals, series });
}
