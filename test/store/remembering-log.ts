/** A log that only remembers what it was warned of. */
import type { Log } from "#src/host/log.ts";

export function rememberingLog(warnings: string[]): Log {
  const ignore = (): void => {};
  const log: Log = {
    debug: ignore,
    info: ignore,
    warn: (message, fields) => warnings.push(`${message}: ${fields?.why ?? fields?.error ?? ""}`),
    error: (message) => warnings.push(message),
    with: () => log,
  };
  return log;
}
