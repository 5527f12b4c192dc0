/** The same load on one volume and on many, in one group or each in its own. The connections are as many every time. */
import { volumeSpreads, volumesRatioGoal } from "./path-cases.ts";
import type { PathOptions } from "./path-options.ts";
import { contenderFigures, type VolumesFigures, volumeCountFigures } from "./path-results.ts";
import { takeTurn } from "./path-turn.ts";
import type { Progress } from "./progress.ts";
import { interleave } from "./rounds.ts";
import { createScratch, type Scratch, writeNoiseFile } from "./scratch.ts";
import { startTidemark } from "./tidemark.ts";

const totalBytes = 512 * 1024 ** 2;
const connections = 64;
const folder = "/dev/shm";

export async function measureVolumes(options: PathOptions, progress: Progress): Promise<VolumesFigures> {
  using scratch = createScratch(folder);
  for (const count of new Set(volumeSpreads.map(({ volumes }) => volumes))) {
    progress.show(`${count} volumes: writing ${totalBytes >> 20} MiB`);
    for (let index = 0; index < count; index++) await writeNoiseFile(fileOf(scratch, count, index), totalBytes / count);
  }
  const schedule = { rounds: options.rounds, warmUpRounds: 1 };
  const series = await interleave(volumeSpreads, schedule, ({ volumes: count, groups }, round) => {
    progress.show(`${count} volumes in ${groups}: round ${round} of ${options.rounds}`);
    return takeTurn(({ sockets }) => startTidemark(setupOf(scratch, count, groups, sockets)), {
      workload: { access: "randwrite", blockBytes: 4096, depth: 1, connections: connections / count },
      sizeBytes: totalBytes / count,
      seconds: options.seconds,
      seed: round,
      diskFolder: undefined,
    });
  });
  const counts = [...series].map(([{ volumes, groups }, turns]) => ({
    volumes,
    groups,
    figures: contenderFigures(`${volumes} in ${groups}`, turns),
  }));
  return { connections, totalBytes, counts: volumeCountFigures(volumesRatioGoal, counts) };
}

function fileOf(scratch: Scratch, count: number, index: number): string {
  return scratch.file(`${count}.${index}`);
}

function setupOf(scratch: Scratch, count: number, groups: number, sockets: Scratch) {
  const volumes = Array.from({ length: count }, (_, index) => ({
    name: `volume-${index}`,
    source: fileOf(scratch, count, index),
    group: `group-${index % groups}`,
  }));
  return { dataFolder: scratch.file("data"), sockets, mode: "async", volumes, processes: "one" } as const;
}
