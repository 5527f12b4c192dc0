/** A program from its start to its end by a signal, or by a failure that leaves it nothing to go on with. */
import type { Config } from "#src/control/config-schema.ts";
import { Program } from "#src/control/program.ts";
import type { RoleName } from "#src/control/role.ts";
import { inWords } from "#src/host/system-words.ts";
import { endingSignal } from "./ending-signal.ts";

/** `started` may still do something before the signals are waited for. Answers the exit status. */
export async function runProgram(
  config: Config,
  roles: readonly RoleName[],
  started: (program: Program) => Promise<void>,
): Promise<number> {
  const signal = endingSignal();
  const program = await Program.start(config, roles);
  try {
    await Promise.race([started(program), program.failed]);
    await Promise.race([signal, program.failed]);
    await program.stop();
    return 0;
  } catch (error) {
    process.stderr.write(`tidemark: ${inWords(error)}\n`);
    // Whatever still runs must not go on by itself.
    return process.exit(1);
  }
}
