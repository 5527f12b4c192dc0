/** Who is compared on the protected path, each started anew for every turn. */

import { type MirrorCopyMode, startMirror } from "./mirror.ts";
import type { ProcessUsage } from "./process-usage.ts";
import type { Scratch } from "./scratch.ts";
import { startServer } from "./server.ts";
import { startTidemark } from "./tidemark.ts";

export const ownNames = ["tidemark async", "tidemark sync"] as const;
export const peerNames = ["nbdkit", "mirror background", "mirror blocking"] as const;
export type PeerName = (typeof peerNames)[number];
export type ContenderName = (typeof ownNames)[number] | PeerName;

/** What a turn has of the place it is in. */
export interface Ground {
  /** What is exported, and a second file of the same size for who keeps a copy. */
  readonly file: string;
  readonly copyFile: string;
  /** Does not exist. */
  readonly dataFolder: string;
  /** A new folder whose path is short enough for sockets. */
  readonly sockets: Scratch;
}

export interface RunningContender extends AsyncDisposable {
  readonly uris: readonly [string, ...string[]];
  /** Throws where it does not, or no longer, do what it is measured for. */
  check(): Promise<void>;
  /** Resolves when all that was written is wherever it is to be. */
  settle(): Promise<void>;
  /** Of all its processes. */
  usage(): Promise<ProcessUsage>;
}

export function startContender(name: ContenderName, ground: Ground): Promise<RunningContender> {
  switch (name) {
    case "tidemark async":
      return startOwn("async", ground);
    case "tidemark sync":
      return startOwn("sync", ground);
    case "nbdkit":
      return startUnprotected(ground);
    case "mirror background":
      return startMirrored("background", ground);
    case "mirror blocking":
      return startMirrored("write-blocking", ground);
  }
}

function startOwn(mode: "async" | "sync", { file, dataFolder, sockets }: Ground): Promise<RunningContender> {
  return startTidemark({ dataFolder, sockets, mode, volumes: [{ name: "bench", source: file }], processes: "one" });
}

async function startUnprotected({ file, sockets }: Ground): Promise<RunningContender> {
  const server = await startServer("nbdkit", file, sockets.file("nbdkit"));
  return {
    uris: [server.uri],
    check: async () => {},
    settle: async () => {},
    usage: server.usage,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function startMirrored(copyMode: MirrorCopyMode, ground: Ground): Promise<RunningContender> {
  const { file, copyFile: targetFile, sockets } = ground;
  const mirror = await startMirror({ copyMode, file, targetFile, sockets });
  return {
    uris: [mirror.uri],
    check: () => mirror.check(),
    settle: () => mirror.settle(),
    usage: () => mirror.usage(),
    [Symbol.asyncDispose]: () => mirror[Symbol.asyncDispose](),
  };
}
