/**
 * How much is read of a source, and sent to the remote, to copy what was written while the appliance was away: nbdkit serves
 * the source and writes down each request, and between local and remote stands who counts what goes by.
 */
import { tmpdir } from "node:os";
import { connect, nodeClock, nodeSockets, parseNbdUri } from "#src/nbd/index.ts";
import { type ResyncCase, type ResyncFigures, resyncCase } from "./copy-results.ts";
import { type CountingLink, startCountingLink } from "./counting-link.ts";
import { resyncGoal } from "./path-cases.ts";
import type { PathOptions } from "./path-options.ts";
import { requireRoom } from "./place.ts";
import type { Progress } from "./progress.ts";
import { uncopied, unprotected, until } from "./protection.ts";
import { type ReadCounter, startReadCounter } from "./read-counter.ts";
import { createScratch, writeNoiseFile } from "./scratch.ts";
import { type RunningTidemark, startTidemark } from "./tidemark.ts";

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const volumeBytes = 2 * GiB;
/** Of a volume of this size. */
const regionBytes = MiB;
const regionCount = volumeBytes / regionBytes;
const writtenRegions = Math.floor(regionCount / 100);
/** The source, the first copy in spool and journal. */
const roomBytes = 3 * volumeBytes + GiB;
const patienceMs = 60_000;
const payload = Buffer.alloc(4096, "tidemark");

interface Spread {
  readonly title: string;
  readonly regionOf: (index: number) => number;
}

const spreads: readonly Spread[] = [
  { title: "side by side", regionOf: (index) => 500 + index },
  { title: "far from each other", regionOf: (index) => 7 + index * Math.floor(regionCount / writtenRegions) },
];

export async function measureResync(options: PathOptions, progress: Progress): Promise<ResyncFigures> {
  await requireRoom(options.diskFolder, roomBytes);
  using scratch = createScratch(options.diskFolder);
  using sockets = createScratch(tmpdir());
  progress.show(`resync: writing ${volumeBytes / GiB} GiB`);
  await writeNoiseFile(scratch.file("disk"), volumeBytes);
  await using stack = new AsyncDisposableStack();
  const counter = stack.use(await startReadCounter(scratch.file("disk"), sockets.file("source"), scratch.file("log")));
  let link: CountingLink | undefined;
  progress.show("resync: the first copy");
  const tidemark = stack.use(
    await startTidemark({
      ...{ dataFolder: scratch.file("data"), sockets, mode: "async", processes: "one per role" },
      volumes: [{ name: "bench", source: counter.uri }],
      remoteAddress: sockets.file("link"),
      remoteStarted: async (wire) => {
        link = stack.use(await startCountingLink(sockets.file("link"), wire));
      },
      // Marks of what is at rest go at once.
      interceptor: { applianceLost: "track", trackAfterSeconds: 0, checkpointSeconds: 0.5 },
    }),
  );
  if (link === undefined) throw new Error("nothing stands between local and remote");
  const cases: ResyncCase[] = [];
  for (const spread of spreads) {
    progress.show(`resync: ${spread.title}`);
    cases.push(await measureSpread(spread, { tidemark, counter, link }));
  }
  return { volumeBytes, goal: resyncGoal, cases };
}

async function measureSpread(
  { title, regionOf }: Spread,
  { tidemark, counter, link }: { tidemark: RunningTidemark; counter: ReadCounter; link: CountingLink },
): Promise<ResyncCase> {
  const { volumes, status } = tidemark;
  await until(volumes, ([one]) => (one?.markedBytes === 0 ? undefined : "regions are marked"), patienceMs);
  await counter.readBytes();
  const passedBefore = link.passedBytes;
  await withLocalStopped(tidemark, async () => {
    await until(volumes, ([one]) => (one?.state === "tracking" ? undefined : "it does not go on alone"), patienceMs);
    await writeOnceIn(tidemark, regionOf);
  });
  await until(status, (protection) => unprotected(protection, "async") ?? uncopied(protection), patienceMs);
  const readBytes = await counter.readBytes();
  const shippedBytes = link.passedBytes - passedBefore;
  return resyncCase({ title, volumeBytes, regionBytes, writtenRegions, readBytes, shippedBytes }, resyncGoal);
}

/** It is neither there nor gone, until the others give it up. */
async function withLocalStopped(tidemark: RunningTidemark, act: () => Promise<void>): Promise<void> {
  const { local } = tidemark.processIds;
  if (local === undefined) throw new Error("the local appliance has no process of its own");
  process.kill(local, "SIGSTOP");
  try {
    await act();
  } finally {
    process.kill(local, "SIGCONT");
  }
}

async function writeOnceIn(tidemark: RunningTidemark, regionOf: Spread["regionOf"]): Promise<void> {
  const { address, exportName } = parseNbdUri(tidemark.uriOf("bench"));
  await using host = await connect({ sockets: nodeSockets, clock: nodeClock, address, exportName });
  for (let index = 0; index < writtenRegions; index++) await host.write(regionOf(index) * regionBytes, payload);
  await host.flush();
}
