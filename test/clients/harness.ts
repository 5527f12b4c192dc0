/** The server under test as a process of its own, the way a user starts it, and a folder for its files. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { beforeEach, onTestFinished } from "vitest";
import { patienceMs } from "#test/patience.ts";
import { programPath } from "./command.ts";

const mainFile = join(import.meta.dirname, "../../src/cli/launch.js");

export interface TemporaryFolder {
  readonly path: string;
  file(name: string): string;
}

/** Goes away when the test ends. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), "tidemark-clients-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return { path, file: (name) => join(path, name) };
}

/** The command line of `serve`, for those clients that start a server by themselves. */
export function serveCommand(file: string, options: readonly string[] = []): readonly [string, ...string[]] {
  return [process.execPath, mainFile, "serve", file, ...options];
}

export interface Server {
  /** As the server printed it. */
  readonly uri: string;
  readonly sizeBytes: number;
  stderr(): string;
  /** Asks the server to end, and fails unless it does so in order. Harmless when called again. */
  stop(): Promise<void>;
}

interface ReadyLine {
  readonly uri: string;
  readonly sizeBytes: number;
}

function parseReadyLine(line: string): ReadyLine {
  const value: unknown = JSON.parse(line);
  if (typeof value === "object" && value !== null && "uri" in value && "sizeBytes" in value) {
    if (typeof value.uri === "string" && typeof value.sizeBytes === "number") {
      return { uri: value.uri, sizeBytes: value.sizeBytes };
    }
  }
  throw new Error(`not the line of a server that is ready: ${line}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

async function within<T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} took more than ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function readyLine(child: ChildProcess, stderr: () => string): Promise<ReadyLine> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      const [line, rest] = text.split("\n", 2);
      if (line === undefined || rest === undefined) return;
      try {
        resolve(parseReadyLine(line));
      } catch (error) {
        reject(error);
      }
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      reject(new Error(`the server ended with ${code ?? signal} before it was ready:\n${stderr()}`));
    });
  });
}

async function stopProcess(child: ChildProcess, stderr: () => string): Promise<void> {
  child.kill("SIGTERM");
  try {
    await within(ended(child), patienceMs, "stopping the server");
  } catch (error) {
    child.kill("SIGKILL");
    await ended(child);
    throw error;
  }
  if (child.exitCode !== 0) {
    throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}:\n${stderr()}`);
  }
}

/**
 * Starts `serve FILE` with `--socket` or `--port` and the like among the options. The server is stopped when the test
 * ends: by a hook and not by `await using`, so that the report shows both what a client saw and how its server ended.
 */
export async function startServer(
  file: string,
  options: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const [program, ...programArguments] = serveCommand(file, ["--json", ...options]);
  const env = { ...process.env, ...environment };
  const child = spawn(program, programArguments, { stdio: ["ignore", "pipe", "pipe"], env });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const stderr = () => errors;
  try {
    const { uri, sizeBytes } = await within(readyLine(child, stderr), patienceMs, "starting the server");
    let stopped: Promise<void> | undefined;
    const stop = () => {
      stopped ??= stopProcess(child, stderr);
      return stopped;
    };
    onTestFinished(stop);
    return { uri, sizeBytes, stderr, stop };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** An NBD URI for a Unix socket, written by hand as a user would. */
export function unixUri(socketPath: string, exportName = "", scheme = "nbd+unix"): string {
  return `${scheme}:///${encodeURIComponent(exportName)}?socket=${socketPath}`;
}

async function isInstalled(program: string): Promise<boolean> {
  for (const folder of programPath.split(delimiter)) {
    try {
      await access(join(folder, program), constants.X_OK);
      return true;
    } catch {
      // Not in this folder.
    }
  }
  return false;
}

/**
 * Skips each test of a file when there is a reason, in words. The reason is also printed, once per file: the usual report
 * shows a skipped test's name or nothing at all.
 */
export function skipWhere(findReason: () => Promise<string | undefined>): void {
  let printed = false;
  beforeEach(async (context) => {
    const reason = await findReason();
    if (reason === undefined) return;
    if (!printed) console.warn(`not run: ${reason}`);
    printed = true;
    context.skip(reason);
  });
}

/** Skips each test of a file where a client program is missing. */
export function needPrograms(...programs: readonly string[]): void {
  skipWhere(async () => {
    const missing: string[] = [];
    for (const program of programs) if (!(await isInstalled(program))) missing.push(program);
    return missing.length === 0
      ? undefined
      : `${missing.join(", ")} missing; as root, deploy/setup-peers.sh installs it`;
  });
}
