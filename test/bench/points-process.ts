/** The processes that read points, as the remote side starts them: of a view, and of a restore. */
import { rmSync } from "node:fs";
import module from "node:module";
import type { Config } from "#src/control/config-schema.ts";
import type { RestoreNews, RestoreSettings } from "#src/control/restore-words.ts";
import type { ViewDefinition } from "#src/control/view.ts";
import { ViewProcess } from "#src/control/view-process.ts";
import type { ViewSettings } from "#src/control/view-words.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { startProcess } from "#src/host/node/process.ts";
import type { PointsData } from "./points-data.ts";
import { benchGroup, benchVolume } from "./points-history.ts";
import type { Scratch } from "./scratch.ts";
import { socketUri } from "./server.ts";

const exportName = "bench";
const openMs = 30_000;
const stopMs = 10_000;
/** Of what a process is configured with, only its log is asked for here. */
const config = { log: { level: "warn", format: "text" } } as Config;

const named = {
  ...{ group: benchGroup, groupName: "bench", volume: benchVolume, volumeName: "disk", timeMicros: 0 },
} as const;

export interface OpenedView extends AsyncDisposable {
  readonly uri: string;
}

/** As the program itself does: a process begins sooner so. */
module.enableCompileCache();

export async function openView({ storeFolder }: PointsData, seq: number, scratch: Scratch): Promise<OpenedView> {
  const socket = scratch.file("view.sock");
  const address = { kind: "unix", path: socket } as const;
  const settings: ViewSettings = {
    ...{ config, storeFolder, groupsFolder: scratch.file("groups"), wrappingKey: undefined, address, tls: undefined },
  };
  const viewServer = new URL("../../src/control/view-server.ts", import.meta.url);
  const views = new ViewProcess({
    clock: nodeClock,
    start: () => startProcess(viewServer, settings, { givesWay: false }),
    metDamage: (segment) => {
      throw new Error(`segment ${segment} cannot be read`);
    },
    lost: (error) => {
      throw error;
    },
  });
  const view: ViewDefinition = {
    ...{ ...named, id: "0".repeat(32), name: exportName, seq, isWritable: false, incarnation: 1, openedMs: 0 },
    isPutAway: false,
  };
  await views.ask("listen", null, openMs);
  await views.ask("open", { view, folder: scratch.file("view"), durableSeq: 0 }, openMs);
  return {
    uri: socketUri(socket, exportName),
    [Symbol.asyncDispose]: () => views.stop(stopMs),
  };
}

export interface BenchRestore {
  readonly seq: number;
  /** Not there. */
  readonly target: string;
  readonly isVerified: boolean;
}

/** Resolves when the process that did it says so, or throws why it is not what it should be. */
export async function restoreTo(
  { storeFolder }: PointsData,
  { seq, target, isVerified }: BenchRestore,
  scratch: Scratch,
) {
  const { volume: number, volumeName: volume, group, timeMicros } = named;
  const sumsPath = scratch.file("sums");
  const request = { group, number, volume, seq, timeMicros, target, mayOverwrite: false, isVerified, id: "bench" };
  const settings: RestoreSettings = {
    ...{ config, storeFolder, groupsFolder: scratch.file("groups"), wrappingKey: undefined, durableSeq: 0 },
    viewsFolder: scratch.file("views"),
    ...{ request, groupName: "bench", sumsPath },
  };
  const restoreProcess = new URL("../../src/control/restore-process.ts", import.meta.url);
  const process = startProcess(restoreProcess, settings, { givesWay: false });
  const outcome = new Promise<void>((resolve, reject) => {
    process.receive((message) => {
      const news = message as RestoreNews;
      if ("error" in news) reject(new Error(JSON.stringify(news.error)));
      if (!("result" in news)) return;
      if (news.result.isSound) resolve();
      else reject(new Error(news.result.lines.join("; ")));
    });
    void process.ended.then((error) => reject(error ?? new Error("the process of the restore has ended")));
  });
  try {
    await outcome;
  } finally {
    process.end();
    await process.ended;
    rmSync(sumsPath, { force: true });
  }
}
