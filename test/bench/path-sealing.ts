/**
 * Writes beside sealing. By itself the remote appliance seals when hosts write little, or when much waits, and a short turn
 * comes to neither; here it is told not to wait, and held against one that does.
 */
import type { StatusReport } from "#src/control/control-plane.ts";
import type { PathOptions } from "./path-options.ts";
import { contenderFigures, type PathTurn, type SealingFigures } from "./path-results.ts";
import { takeTurn, warmUpSeconds } from "./path-turn.ts";
import { requireRoom } from "./place.ts";
import type { Progress } from "./progress.ts";
import { until } from "./protection.ts";
import { interleave, median } from "./rounds.ts";
import { createScratch, writeNoiseFile } from "./scratch.ts";
import { metricsOf } from "./steady-sampler.ts";
import { type RunningTidemark, startTidemark } from "./tidemark.ts";
import { ask } from "./tidemark-api.ts";

const GiB = 1024 ** 3;
const volumeBytes = GiB;
const blockBytes = 4096;
const folder = "/dev/shm";
const workload = { access: "randwrite", blockBytes, depth: 32, connections: 1 } as const;
const secondsDefault = 10;
const sealedMs = 300_000;
/** Of a shorter run: a segment is closed after one. */
const secondsPerRoundSecond = 5;
/** Of spool, journal and store, for each second. */
const keptBytesPerSecond = GiB;

/** A segment is closed after a second, so that there is something to seal. */
const variants = [
  { title: "waits for hosts", store: { sealAfterSeconds: 1 } },
  { title: "goes on beside them", store: { sealAfterSeconds: 1, sealBehind: 0 } },
] as const;

interface SealingTurn extends PathTurn {
  /** While it was written, of what was written then. */
  readonly sealedShare: number;
}

export async function measureSealing(options: PathOptions, progress: Progress): Promise<SealingFigures> {
  const seconds = Math.min(secondsDefault, options.seconds * secondsPerRoundSecond);
  await requireRoom(folder, volumeBytes + (warmUpSeconds + seconds) * keptBytesPerSecond);
  using scratch = createScratch(folder);
  progress.show("beside sealing: writing 1 GiB");
  await writeNoiseFile(scratch.file("disk"), volumeBytes);
  const schedule = { rounds: options.rounds, warmUpRounds: 1 };
  const series = await interleave(variants, schedule, async ({ title, store }, round): Promise<SealingTurn> => {
    progress.show(`beside sealing: round ${round} of ${options.rounds}, sealing ${title}`);
    let running: RunningTidemark | undefined;
    let before = 0;
    let after = 0;
    const turn = await takeTurn(
      async ({ sockets }) => {
        const volumes = [{ name: "bench", source: scratch.file("disk") }];
        const setup = { dataFolder: scratch.file("data"), sockets, volumes, settings: { store } };
        running = await startTidemark({ ...setup, mode: "async", processes: "one" });
        return running;
      },
      {
        ...{ workload, sizeBytes: volumeBytes, seconds, seed: round, diskFolder: undefined },
        begun: async () => {
          await allSealed(running);
          before = await sealedBytes(running);
        },
        written: async () => {
          after = await sealedBytes(running);
        },
      },
    );
    return { ...turn, sealedShare: (after - before) / (turn.ioCount * blockBytes) };
  });
  const contenders = variants.map((variant) => {
    const turns = series.get(variant) ?? [];
    const sealedShare = median(turns.map((turn) => turn.sealedShare));
    return { figures: contenderFigures(variant.title, turns), sealedShare };
  });
  // Otherwise something else was measured than it is called.
  if (contenders.at(-1)?.sealedShare === 0) throw new Error("nothing was sealed beside the writes");
  return { volumeBytes, seconds, contenders };
}

/** What the source had, and what was written to warm up, is not to be sealed in the measured time. */
async function allSealed(running: RunningTidemark | undefined): Promise<void> {
  const unsealed = ({ remoteGroups }: StatusReport): string | undefined => {
    const waiting = remoteGroups.find(({ stored, received }) => stored < received);
    return waiting === undefined ? undefined : `of ${waiting.received} records ${waiting.stored} are sealed`;
  };
  await until(() => ask<StatusReport>(`${running?.apis.up}/api/v1/status`), unsealed, sealedMs);
}

async function sealedBytes(running: RunningTidemark | undefined): Promise<number> {
  const api = running?.apis.up;
  if (api === undefined) return 0;
  return (await metricsOf(api)).sum("payload_bytes_moved_total", 'why="seal"') ?? 0;
}
