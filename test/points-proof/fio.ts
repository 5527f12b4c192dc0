/** fio as a host: it writes to the end, or the test fails with what it said. */
import { Program } from "#test/oracle/program.ts";

export async function runFio(options: readonly string[]): Promise<void> {
  // Processes of its jobs would outlive it where it is killed.
  const program = new Program("fio", ["fio", "--thread", ...options]);
  const { code, signal } = await program.ended;
  if (code === 0) return;
  throw new Error(`fio ended with ${code ?? signal}:\n${[...program.lines, program.stderr].join("\n")}`);
}
