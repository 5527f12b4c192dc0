/** The servers that are compared: each started as its users start it, on one file and one Unix socket. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { programPath } from "#test/clients/command.ts";
import { type ProcessUsage, processUsage } from "./process-usage.ts";

export const serverNames = ["tidemark", "nbdkit", "qemu-nbd"] as const;
export type ServerName = (typeof serverNames)[number];

const readyMs = 15_000;
const readyPollMs = 10;
/** Ours syncs the file before it ends, and a disk takes its time for a gigabyte. */
const stopMs = 120_000;
const errorBytesMax = 64 * 1024;
export const launcher = join(import.meta.dirname, "../../src/cli/launch.js");

export interface RunningServer extends AsyncDisposable {
  readonly name: ServerName;
  readonly socketPath: string;
  readonly uri: string;
  usage(): Promise<ProcessUsage>;
}

/** Any program that serves at a Unix socket. */
export interface ListeningProcess extends AsyncDisposable {
  readonly processId: number;
}

export interface ProcessCommand {
  /** What it is called in messages. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Where it answers once it is ready. */
  readonly socket: string;
}

export function serverCommand(name: ServerName, file: string, socket: string): readonly [string, ...string[]] {
  switch (name) {
    case "tidemark":
      // On the Node that runs the benchmark: the launcher then stays in its process, which is the one to be measured.
      return [process.execPath, launcher, "serve", file, "--socket", socket];
    case "nbdkit":
      return ["nbdkit", "--foreground", "--unix", socket, "file", file];
    case "qemu-nbd":
      return ["qemu-nbd", "--persistent", "--format=raw", "--shared=8", "--cache=writeback", "--socket", socket, file];
  }
}

export async function startServer(name: ServerName, file: string, socket: string): Promise<RunningServer> {
  const listening = await startListening({ name, command: serverCommand(name, file, socket), socket });
  return {
    name,
    socketPath: socket,
    uri: socketUri(socket),
    usage: () => processUsage(listening.processId),
    [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose](),
  };
}

/** The export of the server at a Unix socket; without a name the only one. */
export function socketUri(socket: string, exportName = ""): string {
  return `nbd+unix:///${exportName}?socket=${socket}`;
}

export async function startListening({ name, command, socket }: ProcessCommand): Promise<ListeningProcess> {
  const [program, ...programArguments] = command;
  const child = spawn(program, programArguments, {
    env: { ...process.env, PATH: programPath },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const killAtExit = () => child.kill("SIGKILL");
  process.once("exit", killAtExit);
  try {
    const processId = await ready(name, child, socket);
    return {
      processId,
      async [Symbol.asyncDispose]() {
        process.off("exit", killAtExit);
        await stop(name, child);
      },
    };
  } catch (error) {
    process.off("exit", killAtExit);
    child.kill("SIGKILL");
    throw error;
  }
}

/** The process id, once somebody answers at the socket. */
async function ready(name: string, child: ChildProcess, socket: string): Promise<number> {
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-errorBytesMax);
  });
  let failure: Error | undefined;
  child.once("error", (error) => {
    failure = new Error(`${name} could not be started (deploy/setup-peers.sh bench installs it): ${error.message}`);
  });
  const deadline = performance.now() + readyMs;
  while (!(await answers(socket))) {
    if (failure !== undefined) throw failure;
    if (hasEnded(child) || performance.now() > deadline) {
      throw new Error(`${name} did not get ready:\n${errors}`);
    }
    await wait(readyPollMs);
  }
  if (child.pid === undefined) throw new Error(`${name} has no process`);
  return child.pid;
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", () => resolve(false));
  });
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function stop(name: string, child: ChildProcess): Promise<void> {
  if (hasEnded(child)) throw new Error(`${name} ended by itself, with ${child.exitCode ?? child.signalCode}`);
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), stopMs);
  await ended;
  clearTimeout(late);
}
