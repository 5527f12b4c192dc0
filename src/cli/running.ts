/** A program from its start to its end by a signal, or by a failure that leaves it nothing to go on with. */
import type { Config } from "#src/control/config-schema.ts";
import { farewellText } from "#src/control/farewell.ts";
import { Program } from "#src/control/program.ts";
import type { RoleName } from "#src/control/role.ts";
import { inWords } from "#src/host/system-words.ts";
import { endingSignal } from "./ending-signal.ts";

export interface Run {
  readonly config: Config;
  readonly roles: readonly RoleName[];
  /** What is said is JSON, line by line. */
  readonly asJson: boolean;
  /** May still do something before the signals are waited for. */
  readonly started: (program: Program) => Promise<void>;
}

/** Answers the exit status. */
export async function runProgram({ config, roles, asJson, started }: Run): Promise<number> {
  const signal = endingSignal();
  const program = await Program.start(config, roles);
  try {
    await Promise.race([started(program), program.failed]);
    await Promise.race([signal, program.failed]);
    const farewell = await program.stop();
    process.stdout.write(`${asJson ? JSON.stringify({ stopped: farewell }) : farewellText(farewell)}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`tidemark: ${inWords(error)}\n`);
    // Whatever still runs must not go on by itself.
    return process.exit(1);
  }
}
