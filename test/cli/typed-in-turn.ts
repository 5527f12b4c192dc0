/** Many lines as they are typed, without a process for each of them, which takes longer than they do. */
import { join } from "node:path";
import { run } from "#test/clients/command.ts";
import type { LineAnswer } from "./lines-in-turn.ts";

const program = join(import.meta.dirname, "lines-in-turn.ts");

/** For lines that are refused, or only look: what one of them leaves in the process is there for the next. */
export async function typedInTurn(lines: readonly (readonly string[])[]): Promise<readonly LineAnswer[]> {
  const options = ["--disable-warning=ExperimentalWarning", program, JSON.stringify(lines)];
  const { exitCode, stdout, stderr } = await run(process.execPath, options);
  if (exitCode !== 0 || stderr !== "") throw new Error(`the lines ended with ${exitCode}: ${stderr}`);
  const answers = JSON.parse(stdout) as readonly LineAnswer[];
  if (answers.length !== lines.length) throw new Error(`${answers.length} of ${lines.length} lines were answered`);
  return answers;
}
