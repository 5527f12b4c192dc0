/** How long answers take while one volume's disk stands still and another volume is at full load. */
import { setTimeout as wait } from "node:timers/promises";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import { connect } from "#src/nbd/client/connect.ts";
import { parseNbdUri } from "#src/nbd/uri.ts";
import { loadFor } from "./control-load.ts";
import type { ControlOptions } from "./control-options.ts";
import { type Looks, lookAt, Watcher } from "./control-watcher.ts";
import { createScratch } from "./scratch.ts";
import { socketUri, startListening } from "./server.ts";
import { startTidemark } from "./tidemark.ts";

const MiB = 1024 * 1024;
/** Rarely enough for whoever looks to keep up: a scrape waits a moment for fresh facts, and each look for the one before. */
const lookEveryMs = 100;
const stalledWrites = 8;

export interface StalledFigures {
  readonly healthz: Looks;
  readonly metrics: Looks;
  /** Of the other volume, meanwhile. */
  readonly iops: number;
}

export async function measureStalled(options: ControlOptions, show: (what: string) => void): Promise<StalledFigures> {
  using scratch = createScratch(options.folder);
  const sizeBytes = options.sizeMebibytes * MiB;
  const slow = scratch.file("slow");
  const delay = ["--filter=delay", "memory", `size=${sizeBytes}`, "delay-write=600"];
  await using _disk = await startListening({
    name: "nbdkit",
    command: ["nbdkit", "--foreground", "--unix", slow, ...delay],
    socket: slow,
  });
  await using tidemark = await startTidemark({
    ...{ dataFolder: scratch.file("data"), sockets: scratch, mode: "async", processes: "one" },
    volumes: [
      { name: "stalled", source: socketUri(slow) },
      { name: "disk", source: scratch.file("source"), sizeBytes },
    ],
  });
  const { address, exportName } = parseNbdUri(tidemark.uriOf("stalled"));
  const host = await connect({ address, exportName, sockets: nodeSockets, clock: nodeClock });
  let answeredCount = 0;
  const answered = () => {
    answeredCount++;
  };
  // Nobody answers these before the end.
  for (let at = 0; at < stalledWrites; at++) host.write(at * 4096, Buffer.alloc(4096, 1)).then(answered, answered);
  await wait(1000);
  show("stalled disk");
  const watch = (path: string) => new Watcher(() => lookAt(`${tidemark.api}${path}`), lookEveryMs);
  const [healthz, metrics] = [watch("/healthz"), watch("/metrics")];
  const iops = await loadFor(tidemark, "disk", options, { seed: 1, scratch });
  const figures = { healthz: await healthz.end(), metrics: await metrics.end(), iops };
  if (answeredCount > 0) throw new Error("the disk that was to stand still has answered");
  host.destroy();
  return figures;
}
