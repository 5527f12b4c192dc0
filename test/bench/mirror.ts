/**
 * QEMU's own way to a second copy: qemu-storage-daemon exports a file and mirrors what is written to another qemu-nbd.
 * `write-blocking` answers a write once both have it, `background` copies what is dirty when it gets to it.
 */
import { setTimeout as wait } from "node:timers/promises";
import { type ProcessUsage, totalUsage } from "./process-usage.ts";
import { QmpClient } from "./qmp.ts";
import type { Scratch } from "./scratch.ts";
import { serverCommand, socketUri, startListening } from "./server.ts";

export const mirrorCopyModes = ["background", "write-blocking"] as const;
export type MirrorCopyMode = (typeof mirrorCopyModes)[number];

export interface MirrorSetup {
  readonly copyMode: MirrorCopyMode;
  readonly file: string;
  /** As large as the other. */
  readonly targetFile: string;
  readonly sockets: Scratch;
}

export interface RunningMirror extends AsyncDisposable {
  readonly uri: string;
  /** Throws unless writes are being mirrored. */
  check(): Promise<void>;
  /** Resolves when the target has everything. */
  settle(): Promise<void>;
  usage(): Promise<ProcessUsage>;
}

/** What `query-block-jobs` says of a mirror; its bytes are those that were found dirty, and those of them copied. */
export interface MirrorJob {
  readonly device: string;
  readonly status: string;
  readonly ready: boolean;
  readonly "io-status": string;
  readonly len: number;
  readonly offset: number;
}

const jobId = "mirror";
const pollMs = 10;

export async function startMirror({ copyMode, file, targetFile, sockets }: MirrorSetup): Promise<RunningMirror> {
  await using stack = new AsyncDisposableStack();
  const source = sockets.file("source");
  const target = sockets.file("target");
  const monitor = sockets.file("monitor");
  const targetServer = stack.use(
    await startListening({ name: "qemu-nbd", command: serverCommand("qemu-nbd", targetFile, target), socket: target }),
  );
  const daemon = stack.use(
    await startListening({
      name: "qemu-storage-daemon",
      command: daemonCommand(file, source, monitor),
      socket: source,
    }),
  );
  const client = stack.use(await QmpClient.connect(monitor));
  await client.execute("blockdev-add", {
    driver: "nbd",
    "node-name": "target",
    server: { type: "unix", path: target },
  });
  // What lies there already is not copied: the mirror begins in the state that it otherwise comes to.
  const job = { "job-id": jobId, device: "source", target: "target", sync: "none", "copy-mode": copyMode };
  await client.execute("blockdev-mirror", job);
  while ((await queryJobs(client)).some(({ status }) => status === "created" || status === "running"))
    await wait(pollMs);
  const parts = stack.move();
  return {
    uri: socketUri(source),
    check: async () => void requireMirroring(await queryJobs(client)),
    settle: () => copied(client),
    usage: () => totalUsage([daemon.processId, targetServer.processId]),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function daemonCommand(file: string, socket: string, monitor: string): readonly [string, ...string[]] {
  return [
    "qemu-storage-daemon",
    "--blockdev",
    `driver=file,node-name=source,filename=${file}`,
    "--chardev",
    `socket,id=monitor,path=${monitor},server=on,wait=off`,
    "--monitor",
    "chardev=monitor",
    "--nbd-server",
    `addr.type=unix,addr.path=${socket}`,
    "--export",
    "type=nbd,id=export,node-name=source,name=,writable=on",
  ];
}

async function queryJobs(client: QmpClient): Promise<readonly MirrorJob[]> {
  return (await client.execute("query-block-jobs")) as readonly MirrorJob[];
}

/** The job, which must be there and in order. */
export function requireMirroring(jobs: readonly MirrorJob[]): MirrorJob {
  const job = jobs.find(({ device }) => device === jobId);
  if (job === undefined) throw new Error("the mirror has ended: what was measured was not mirrored");
  if (job.status !== "ready" || !job.ready || job["io-status"] !== "ok") {
    throw new Error(`the mirror is ${job.status} (${job["io-status"]}), not ready`);
  }
  return job;
}

async function copied(client: QmpClient): Promise<void> {
  for (;;) {
    const { len, offset } = requireMirroring(await queryJobs(client));
    if (offset === len) return;
    await wait(pollMs);
  }
}
