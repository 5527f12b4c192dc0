/** This machine as a side's thread sees it: with a log of the configured kind, to standard error. */

import type { Log } from "#src/host/log.ts";
import type { Machine } from "#src/host/machine.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { lineWriter, openLog } from "#src/host/node/log.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import type { Config } from "./config-schema.ts";

const standardError = 2;

export function processLog({ log }: Config): Log {
  return openLog({ level: log.level, format: log.format, clock: nodeClock, write: lineWriter(standardError) });
}

export function sideMachine(config: Config, side: string): Machine {
  return nodeMachine(processLog(config).with({ side }));
}
