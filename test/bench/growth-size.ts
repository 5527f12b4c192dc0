/** The same load on volumes of ever larger sizes, all but what is written of them holes. */
import { rmSync } from "node:fs";
import type { GrowthOptions } from "./growth-options.ts";
import type { SizeFigures } from "./growth-results.ts";
import { contenderFigures, type PathTurn } from "./path-results.ts";
import { takeTurn } from "./path-turn.ts";
import type { Progress } from "./progress.ts";
import { interleave, median } from "./rounds.ts";
import { createScratch } from "./scratch.ts";
import { type RunningTidemark, startTidemark } from "./tidemark.ts";

const GiB = 1024 ** 3;
const sizesGibibytes = [1, 64, 1024, 16 * 1024] as const;
const workload = { access: "randwrite", blockBytes: 4096, depth: 32, connections: 1 } as const;

interface SizeTurn extends PathTurn {
  readonly anonymousBytes: number;
}

export async function measureSize(options: GrowthOptions, progress: Progress): Promise<SizeFigures> {
  using scratch = createScratch(options.folder);
  const source = scratch.file("source");
  const schedule = { rounds: options.rounds, warmUpRounds: 0 };
  const series = await interleave(sizesGibibytes, schedule, async (gibibytes, round): Promise<SizeTurn> => {
    progress.show(`size: ${gibibytes} GiB, round ${round + 1} of ${options.rounds}`);
    const sizeBytes = gibibytes * GiB;
    let running: RunningTidemark | undefined;
    let anonymousBytes = 0;
    const start = async ({ sockets }: { readonly sockets: typeof scratch }) => {
      const volumes = [{ name: "bench", source, sizeBytes }];
      const setup = { dataFolder: scratch.file("data"), sockets, volumes, mode: "async", processes: "one" } as const;
      running = await startTidemark(setup);
      return running;
    };
    const settled = async () => {
      anonymousBytes = (await running?.usage())?.anonymousBytes ?? 0;
    };
    const plan = { workload, sizeBytes, seconds: options.seconds, seed: round, diskFolder: undefined, settled };
    const turn = await takeTurn(start, plan);
    rmSync(source);
    return { ...turn, anonymousBytes };
  });
  const steps = [...series].map(([gibibytes, turns]) => ({
    sizeBytes: gibibytes * GiB,
    figures: contenderFigures(`${gibibytes} GiB`, turns),
    anonymousBytes: median(turns.map((turn) => turn.anonymousBytes)),
  }));
  return { steps };
}
