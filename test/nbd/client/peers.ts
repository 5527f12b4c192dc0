/** Other people's NBD servers, each as a process of its own on a Unix socket. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, watch } from "node:fs";
import { onTestFinished } from "vitest";
import type { SocketAddress } from "#src/host/socket.ts";
import { temporaryFolder } from "#test/clients/harness.ts";

/** Ends with the test. */
export interface Peer {
  readonly address: SocketAddress;
  /** Ends the server without a word, as a crash would. */
  kill(): void;
  /** Stops it from doing anything; its connections stand. */
  freeze(): void;
}

/** `arguments` without those for the socket: a plugin with its parameters, filters, options. */
export function startNbdkit(...programArguments: readonly string[]): Promise<Peer> {
  return startPeer("nbdkit", (socket, ready) => ["-f", "-U", socket, "-P", ready, ...programArguments]);
}

export function startQemuNbd(...programArguments: readonly string[]): Promise<Peer> {
  return startPeer("qemu-nbd", (socket, ready) => [
    ...["-k", socket, `--pid-file=${ready}`, "--persistent", "--shared=8"],
    ...programArguments,
  ]);
}

async function startPeer(
  program: string,
  argumentsFor: (socketPath: string, readyPath: string) => readonly string[],
): Promise<Peer> {
  const folder = await temporaryFolder();
  const socketPath = folder.file("socket");
  const readyPath = folder.file("ready");
  const child = spawn(program, argumentsFor(socketPath, readyPath), { stdio: ["ignore", "ignore", "pipe"] });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited(child);
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  await appeared(folder.path, readyPath, child, () => errors);
  return {
    address: { kind: "unix", path: socketPath },
    kill: () => void child.kill("SIGKILL"),
    freeze: () => void child.kill("SIGSTOP"),
  };
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

/** Both servers write the file with their number when they listen. */
function appeared(folder: string, path: string, child: ChildProcess, errors: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(folder, () => look());
    const end = (error?: Error) => {
      watcher.close();
      if (error === undefined) resolve();
      else reject(error);
    };
    const look = () => {
      if (existsSync(path)) end();
    };
    child.once("error", end);
    child.once("exit", () => end(new Error(`${child.spawnargs.join(" ")} ended before it was ready:\n${errors()}`)));
    look();
  });
}
