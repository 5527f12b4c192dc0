/** The programs of this machine. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Daemon, ProgramEnding, Programs } from "../programs.ts";

/** A plain user's shell leaves out where mount's relatives are. */
const searchPath = [process.env.PATH ?? "", "/usr/sbin", "/sbin"].join(":");
/** What a program says is for one message. */
const wordsCharactersMax = 64 * 1024;

export const nodePrograms: Programs = {
  isRoot: process.getuid?.() === 0,
  processId: process.pid,
  run: runWithin,
  startDaemon,
  kill: (processId) => {
    try {
      process.kill(processId, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  },
  textOf: (path) => ifThere(() => fs.readFileSync(path, "utf8")),
  saveText: (path, text) => {
    fs.writeFileSync(`${path}.unpublished`, text, { mode: 0o600 });
    fs.renameSync(`${path}.unpublished`, path);
  },
  namesIn: (path) => ifThere(() => fs.readdirSync(path).sort()) ?? [],
  makeTemporaryFolder: () => fs.mkdtempSync(join(tmpdir(), "tidemark-")),
  makeFolder: (path) => void fs.mkdirSync(path, { recursive: true, mode: 0o700 }),
  removeFolder,
};

function environmentOfPrograms(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: searchPath, LC_ALL: "C" };
}

async function runWithin(
  program: string,
  programArguments: readonly string[],
  withinMs: number,
): Promise<ProgramEnding> {
  const child = spawn(program, programArguments, {
    env: environmentOfPrograms(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let words = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(0, wordsCharactersMax);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-wordsCharactersMax);
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      resolve({ status: undefined, isLate: true, output, words: words.trim() });
    }, withinMs);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (status) => {
      clearTimeout(timer);
      resolve({ status: status ?? undefined, isLate: false, output, words: words.trim() });
    });
  });
}

async function startDaemon(program: string, programArguments: readonly string[], wordsPath: string): Promise<Daemon> {
  const descriptor = fs.openSync(wordsPath, "w", 0o600);
  try {
    const child = spawn(program, programArguments, {
      env: environmentOfPrograms(),
      // A session of its own: what is typed in a terminal, such as Ctrl-C, is not meant for it.
      detached: true,
      stdio: ["ignore", descriptor, descriptor],
    });
    await once(child, "spawn");
    child.unref();
    return {
      processId: child.pid as number,
      hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    };
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Not recursive by itself: a mount that somebody left below it must not be emptied. */
function removeFolder(path: string): void {
  for (const entry of ifThere(() => fs.readdirSync(path, { withFileTypes: true })) ?? []) {
    const one = join(path, entry.name);
    if (entry.isDirectory()) quietly(() => fs.rmdirSync(one));
    else quietly(() => fs.unlinkSync(one));
  }
  quietly(() => fs.rmdirSync(path));
}

function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // What is in the way stays, and is found there the next time.
  }
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
