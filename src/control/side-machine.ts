/** This machine as a side's thread sees it: with a log of the configured kind, to standard error. */

import type { Log, LogLevel } from "#src/host/log.ts";
import type { Machine } from "#src/host/machine.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { type LogOptions, lineWriter, openLog } from "#src/host/node/log.ts";
import { nodeMachine } from "#src/host/node/machine.ts";
import type { Config } from "./config-schema.ts";

const standardError = 2;

/** Of this thread. */
const logs: LogOptions[] = [];

export function processLog({ log }: Pick<Config, "log">): Log {
  const options = { level: log.level, format: log.format, clock: nodeClock, write: lineWriter(standardError) };
  logs.push(options);
  return openLog(options);
}

/** Of all logs of this thread, from now on. */
export function setLogLevel(level: LogLevel): void {
  for (const options of logs) options.level = level;
}

export function sideMachine(config: Pick<Config, "log">, side: string): Machine {
  return nodeMachine(processLog(config).with({ side }));
}
