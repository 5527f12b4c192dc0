/**
 * A program from its start to its end by a signal, which may come while it starts, or by a failure that leaves it nothing to
 * go on with. SIGHUP has it read its configuration again; one that cannot be used changes nothing.
 */
import type { Config } from "#src/control/config-schema.ts";
import { farewellText } from "#src/control/farewell.ts";
import { reloadInWords } from "#src/control/live-settings.ts";
import { Program } from "#src/control/program.ts";
import type { RoleName } from "#src/control/role.ts";
import { tellServiceManager } from "#src/host/node/service-manager.ts";
import { giveBackStartMemory, keepNursery } from "#src/host/node/start-memory.ts";
import { inWords } from "#src/host/system-words.ts";
import { endingSignal } from "./ending-signal.ts";

export interface Run {
  readonly config: Config;
  readonly roles: readonly RoleName[];
  /** The same again, as it is by then. */
  readonly configAnew: () => Config;
  /** What is said is JSON, line by line. */
  readonly asJson: boolean;
  /** May still do something before the signals are waited for. */
  readonly started: (program: Program) => Promise<void>;
}

/** Answers the exit status. */
export async function runProgram({ config, configAnew, roles, asJson, started }: Run): Promise<number> {
  const signal = endingSignal();
  let running: Program | undefined;
  // Also before there is anything to tell: the signal would end it.
  process.on("SIGHUP", () => {
    if (running !== undefined) void reload(running, configAnew);
  });
  try {
    const program = new Program(config, roles);
    const isUp = program.start().then(() => started(program));
    if (await Promise.race([isUp.then(() => true), signal.then(() => false), program.failed])) {
      running = program;
      tellServiceManager("ready");
      giveBackStartMemory();
      keepNursery();
      await Promise.race([signal, program.failed]);
    }
    tellServiceManager("stopping");
    const farewell = await program.stop();
    process.stdout.write(`${asJson ? JSON.stringify({ stopped: farewell }) : farewellText(farewell)}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`tidemark: ${inWords(error)}\n`);
    // Whatever still runs, or was about to, must not go on by itself.
    return process.exit(1);
  }
}

async function reload(program: Program, configAnew: () => Config): Promise<void> {
  try {
    process.stderr.write(`tidemark: ${reloadInWords(await program.reload(configAnew()))}\n`);
  } catch (error) {
    process.stderr.write(`tidemark: the configuration stays as it is: ${inWords(error)}\n`);
  }
}
