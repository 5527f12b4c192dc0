/**
 * Writes of which nine tenths go to a hundredth of the volume: what aggregated saves of the way to the remote, and whether
 * it keeps up where a link has a fifth of the bandwidth that the host writes with.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { runFio, type Workload } from "./fio.ts";
import type { PathOptions } from "./path-options.ts";
import { contenderFigures, type HotSpotFigures, type PathTurn, type ThinLinkFigures } from "./path-results.ts";
import { takeTurn } from "./path-turn.ts";
import type { Progress } from "./progress.ts";
import { interleave, median } from "./rounds.ts";
import { createScratch, writeNoiseFile } from "./scratch.ts";
import { startListening } from "./server.ts";
import { type RunningTidemark, startTidemark } from "./tidemark.ts";

const volumeBytes = 1024 ** 3;
const blockBytes = 4096;
const folder = "/dev/shm";
const hot = { access: "randwrite", blockBytes, depth: 32, connections: 1, zones: "90/1:10/99" } as const;
/** Aggregates are cut once a second. */
const secondsMin = 5;

const looseModes = ["async", "aggregated"] as const;

interface HotTurn extends PathTurn {
  readonly shippedBytes: number;
}

export async function measureHotSpot(options: PathOptions, progress: Progress): Promise<HotSpotFigures> {
  using scratch = createScratch(folder);
  progress.show("hot spot: writing 1 GiB");
  await writeNoiseFile(scratch.file("disk"), volumeBytes);
  const schedule = { rounds: options.rounds, warmUpRounds: 1 };
  const seconds = Math.max(secondsMin, options.seconds);
  const series = await interleave(looseModes, schedule, async (mode, round): Promise<HotTurn> => {
    progress.show(`hot spot: round ${round} of ${options.rounds}, ${mode}`);
    let running: RunningTidemark | undefined;
    let before = 0;
    let after = 0;
    const turn = await takeTurn(
      async ({ sockets }) => {
        const volumes = [{ name: "bench", source: scratch.file("disk") }];
        running = await startTidemark({
          ...{ dataFolder: scratch.file("data"), sockets, mode, volumes, processes: "one" },
        });
        return running;
      },
      {
        ...{ workload: hot, sizeBytes: volumeBytes, seconds, seed: round, diskFolder: undefined },
        begun: async () => {
          before = await shippedBytes(running);
        },
        settled: async () => {
          after = await shippedBytes(running);
        },
      },
    );
    return { ...turn, shippedBytes: after - before };
  });
  const contenders = looseModes.map((mode) => {
    const turns = series.get(mode) ?? [];
    const perWrite = turns.map((turn) => turn.shippedBytes / turn.ioCount);
    return { figures: contenderFigures(`tidemark ${mode}`, turns), shippedBytesPerWrite: median(perWrite) };
  });
  return { volumeBytes, seconds, contenders };
}

async function shippedBytes(running: RunningTidemark | undefined): Promise<number> {
  const { groups } = (await running?.status()) ?? { groups: [] };
  return groups.reduce((sum, group) => sum + group.shippedBytes, 0);
}

const link = { megabits: 50, delayMs: 20 };
const hostBytesPerSecond = 5 * ((link.megabits * 1e6) / 8);
const thinSeconds = 60;
const sampleEveryMs = 500;

export async function measureThinLink(options: PathOptions, progress: Progress): Promise<ThinLinkFigures> {
  using scratch = createScratch(folder);
  using sockets = createScratch(tmpdir());
  const seconds = Math.min(thinSeconds, options.seconds * 30);
  await using stack = new AsyncDisposableStack();
  const tidemark = stack.use(
    await startTidemark({
      ...{ dataFolder: scratch.file("data"), sockets, mode: "aggregated", processes: "one per role" },
      // Empty: there is nothing that would have to be copied over the link first.
      volumes: [{ name: "bench", source: scratch.file("disk"), sizeBytes: volumeBytes }],
      remoteAddress: sockets.file("thin"),
      remoteStarted: async (wire) => {
        const program = join(import.meta.dirname, "thin-link.ts");
        const { megabits, delayMs } = link;
        const command = [process.execPath, program, sockets.file("thin"), wire, `${megabits}`, `${delayMs}`] as const;
        stack.use(await startListening({ name: "the thin link", command: [...command], socket: sockets.file("thin") }));
      },
    }),
  );
  const workload: Workload = { ...hot, bytesPerSecond: hostBytesPerSecond };
  const run = { uris: tidemark.uris, sizeBytes: volumeBytes, seed: 1, reportFile: sockets.file("report") };
  const lagSeconds: number[] = [];
  let isOver = false;
  progress.show(`thin link: ${seconds} s`);
  const sampling = (async () => {
    while (!isOver) {
      const { groups } = await tidemark.status();
      lagSeconds.push(Math.max(...groups.map((group) => group.lagSeconds)));
      await wait(sampleEveryMs);
    }
  })();
  const measured = await runFio(workload, { ...run, seconds });
  isOver = true;
  await sampling;
  await tidemark.check();
  const third = Math.floor(lagSeconds.length / 3);
  const most = (from: number, to: number) => Math.max(...lagSeconds.slice(from, to));
  return {
    ...{ ...link, seconds, hostBytesPerSecond },
    writtenBytesPerSecond: measured.iops * blockBytes,
    lagSecondsOfThirds: [most(0, third), most(third, 2 * third), most(2 * third, lagSeconds.length)],
  };
}
