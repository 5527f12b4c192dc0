/** The log as lines to a writer, standard error for example. */
import fs from "node:fs";
import type { Clock } from "../clock.ts";
import { type Log, type LogFields, type LogLevel, logLevels } from "../log.ts";
import { formatLogLine, type LogFormat } from "../log-line.ts";

export interface LogOptions {
  /** Entries below this are left out. It may change while the log is there. */
  level: LogLevel;
  readonly format: LogFormat;
  readonly clock: Clock;
  /** Takes one line without its end. */
  readonly write: (line: string) => void;
}

export function openLog(options: LogOptions): Log {
  return new LineLog(options, {});
}

class LineLog implements Log {
  readonly #options: LogOptions;
  readonly #fields: LogFields;

  constructor(options: LogOptions, fields: LogFields) {
    this.#options = options;
    this.#fields = fields;
  }

  debug(message: string, fields?: LogFields): void {
    this.#enter("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#enter("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#enter("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#enter("error", message, fields);
  }

  with(fields: LogFields): Log {
    return new LineLog(this.#options, { ...this.#fields, ...fields });
  }

  #enter(level: LogLevel, message: string, fields: LogFields | undefined): void {
    const { clock, format, write } = this.#options;
    if (logLevels.indexOf(level) < logLevels.indexOf(this.#options.level)) return;
    write(formatLogLine({ wallMs: clock.wallMs(), level, message, fields: { ...this.#fields, ...fields } }, format));
  }
}

/**
 * Writes lines at once, so that the last words of a dying process are not lost and any thread can do it. A reader that
 * does not keep up costs lines, not time: how many is said as soon as a line passes again.
 */
export function lineWriter(fd: number): (line: string) => void {
  const descriptor = withoutWaiting(fd);
  let lost = 0;
  let cut = false;
  return (line) => {
    const notice = lost > 0 ? `(${lost} log lines were lost: nobody read them in time)\n` : "";
    const bytes = Buffer.from(`${cut ? "\n" : ""}${notice}${line}\n`);
    try {
      const count = fs.writeSync(descriptor, bytes);
      cut = count < bytes.length;
      lost = cut ? 1 : 0;
    } catch {
      lost++;
    }
  };
}

/**
 * Opened anew, so that those who share the old descriptor are not changed with it. A socket cannot be and stays as it is.
 * So does a file, which nobody waits for: opened anew it would have another place to write at, and whoever shares the old
 * one, such as standard output with `> FILE 2>&1`, would write over what was logged.
 */
function withoutWaiting(fd: number): number {
  try {
    if (fs.fstatSync(fd).isFile()) return fd;
    return fs.openSync(`/proc/self/fd/${fd}`, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
  } catch {
    return fd;
  }
}
