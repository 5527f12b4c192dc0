/** The program: finds the command, runs it, and says what went wrong in one line. */
import "#src/host/node/thread-pool.ts";
import { nearestName } from "#src/core/nearest-name.ts";
import { programVersion } from "#src/host/node/program-version.ts";
import { inWords } from "#src/host/system-words.ts";
import { type Command, UsageError } from "./command.ts";
import { commandAlone } from "./command-alone.ts";

async function run(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args[0] === "help" ? [args[1] ?? "--help", "--help"] : args;
  if (name === "--version") {
    process.stdout.write(`tidemark ${programVersion()}\n`);
    return 0;
  }
  const alone = await commandAlone(name);
  if (alone !== undefined) return runCommand(alone, rest);
  const { commands, helpText } = await import("./commands.ts");
  if (name === undefined || name === "--help" || name === "-h") {
    (name === undefined ? process.stderr : process.stdout).write(helpText());
    return name === undefined ? 2 : 0;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined) {
    const kind = name.startsWith("-") ? "option" : "command";
    const nearest = nearestName(name, [...commands.map((one) => one.name), "--help", "--version"]);
    const advice = nearest === undefined ? "" : `did you mean '${nearest}'? `;
    throw new UsageError(`there is no ${kind} '${name}'; ${advice}'tidemark --help' lists all`);
  }
  return runCommand(command, rest);
}

async function runCommand(command: Command, args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(command.help);
    return 0;
  }
  return command.run(args);
}

/** Whoever read what this program says may be gone; what it does goes on. */
function surviveClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}

async function main(): Promise<void> {
  surviveClosedOutput();
  try {
    process.exitCode = await run(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`tidemark: ${inWords(error)}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

await main();
