/** The program: finds the command, runs it, and says what went wrong in one line. */
import "#src/host/node/thread-pool.ts";
import { type Command, UsageError } from "./command.ts";
import { demoCommand } from "./demo.ts";
import { serveCommand } from "./serve.ts";

const commands: readonly Command[] = [serveCommand, demoCommand];

function helpText(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const list = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return `Usage: tidemark COMMAND [OPTION ...]

Commands:
${list.join("\n")}

'tidemark COMMAND --help' tells more of one, with an example.
`;
}

async function run(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    (name === undefined ? process.stderr : process.stdout).write(helpText());
    return name === undefined ? 2 : 0;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined) throw new UsageError(`there is no command '${name}'; 'tidemark --help' lists them`);
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(command.help);
    return 0;
  }
  return command.run(rest);
}

async function main(): Promise<void> {
  try {
    process.exitCode = await run(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`tidemark: ${(error as Error).message}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

await main();
