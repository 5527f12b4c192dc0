/**
 * A command of the program in this process, for what a test needs done on its way: a process for each of them takes longer than
 * what most of them do. How a command is typed, and how it ends, has tests of its own.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { UsageError } from "#src/cli/command.ts";
import { commandAlone } from "#src/cli/command-alone.ts";
import { inWords } from "#src/host/system-words.ts";

const streams = ["stdout", "stderr"] as const;
const signals = ["SIGINT", "SIGTERM"] as const;

/** By the command that is under way. */
const said = new AsyncLocalStorage<Record<(typeof streams)[number], string>>();

for (const name of streams) {
  const stream = process[name];
  const write = stream.write.bind(stream) as (...written: readonly unknown[]) => boolean;
  stream.write = (text: string | Uint8Array, ...rest: readonly unknown[]): boolean => {
    const one = said.getStore();
    if (one === undefined) return write(text, ...rest);
    one[name] += typeof text === "string" ? text : Buffer.from(text).toString("utf8");
    for (const done of rest) if (typeof done === "function") queueMicrotask(() => done());
    return true;
  };
}

/** As `src/cli/main.ts` runs it. */
export async function commandHere(line: readonly string[]) {
  const [name, ...args] = line;
  const command = await commandAlone(name);
  if (command === undefined) throw new Error(`there is no command '${name}'`);
  const before = new Map(signals.map((signal) => [signal, process.listeners(signal)]));
  const output = { stdout: "", stderr: "" };
  let exitCode: number;
  try {
    exitCode = await said.run(output, () => command.run(args));
  } catch (error) {
    output.stderr += `tidemark: ${inWords(error)}\n`;
    exitCode = error instanceof UsageError ? 2 : 1;
  }
  // What a command would be asked to end by is not for the process of the tests.
  for (const [signal, listeners] of before) {
    for (const one of process.listeners(signal)) if (!listeners.includes(one)) process.off(signal, one);
  }
  return { exitCode, ...output };
}
