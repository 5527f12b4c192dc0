/** Runs a client program to its end: output captured, a time limit kept, nothing left behind. */
import { spawn } from "node:child_process";
import { delimiter } from "node:path";
import { patienceMs } from "#test/patience.ts";

/** With the folders that a plain user's shell leaves out: mkfs, nbd-client and their like are there. */
export const programPath = [process.env.PATH ?? "", "/usr/sbin", "/sbin"].join(delimiter);

export interface CommandResult {
  readonly line: string;
  /** Null where a signal ended the program. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Told what comes on standard error, as it comes. */
  readonly heard?: (text: string) => void;
}

/** A client that floods its output is broken; the test shall fail, not the machine. */
const outputBytesMax = 16 * 1024 * 1024;

function killGroup(leaderId: number | undefined): void {
  try {
    if (leaderId !== undefined) process.kill(-leaderId, "SIGKILL");
  } catch {
    // All of the group ended by themselves.
  }
}

/** Those that lead a group of their own are not reached by whatever ends this process: so they are ended with it. */
const running = new Set<number>();
let isTakenAlong = false;

function takeAlong(leaderId: number | undefined): void {
  if (leaderId !== undefined) running.add(leaderId);
  if (isTakenAlong) return;
  isTakenAlong = true;
  // Before the folders go that they write to.
  process.prependOnceListener("exit", () => {
    for (const one of running) killGroup(one);
  });
}

export function run(program: string, programArguments: readonly string[], options: CommandOptions = {}) {
  const line = [program, ...programArguments].join(" ");
  return new Promise<CommandResult>((resolve, reject) => {
    const child = spawn(program, programArguments, {
      env: { ...process.env, PATH: programPath, LC_ALL: "C", ...options.environment },
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own, so that what the program itself started goes with it.
      detached: true,
    });
    takeAlong(child.pid);
    const output = { stdout: "", stderr: "" };
    let failure: Error | undefined;
    const fail = (reason: string) => {
      failure ??= new Error(`${line}: ${reason}\n${output.stdout}${output.stderr}`);
      killGroup(child.pid);
    };
    const timeoutMs = options.timeoutMs ?? patienceMs;
    const timer = setTimeout(() => fail(`not finished after ${timeoutMs} ms`), timeoutMs);
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] += text;
        if (name === "stderr") options.heard?.(text);
        if (output[name].length > outputBytesMax) fail(`too much on ${name}`);
      });
    }
    // A program may end without reading its input; that is its own affair.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
    const over = () => {
      clearTimeout(timer);
      if (child.pid !== undefined) running.delete(child.pid);
    };
    child.on("error", (error) => {
      over();
      reject(error);
    });
    child.on("close", (exitCode) => {
      over();
      if (failure) reject(failure);
      else resolve({ line, exitCode, ...output });
    });
  });
}

/** As `run`, for a program that must succeed. */
export async function succeed(program: string, programArguments: readonly string[], options: CommandOptions = {}) {
  const result = await run(program, programArguments, options);
  if (result.exitCode !== 0) {
    throw new Error(`${result.line}: exit status ${result.exitCode}\n${result.stdout}${result.stderr}`);
  }
  return result;
}

/** As `run`, for a program that must report a failure by itself: being ended by a signal does not count. */
export async function refuse(program: string, programArguments: readonly string[], options: CommandOptions = {}) {
  const result = await run(program, programArguments, options);
  if (result.exitCode === 0 || result.exitCode === null) {
    const ending = result.exitCode === 0 ? "succeeded, which it must not" : "was ended by a signal";
    throw new Error(`${result.line}: ${ending}\n${result.stdout}${result.stderr}`);
  }
  return result;
}
