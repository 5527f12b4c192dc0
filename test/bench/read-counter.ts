/** How much is read of a file: nbdkit serves it as a source, and writes down every request. */
import { readFile } from "node:fs/promises";
import { socketUri, startListening } from "./server.ts";

export interface ReadCounter extends AsyncDisposable {
  readonly uri: string;
  /** Since the last time it was asked. */
  readBytes(): Promise<number>;
}

export async function startReadCounter(file: string, socket: string, logFile: string): Promise<ReadCounter> {
  const command = ["nbdkit", "--foreground", "--unix", socket, "--filter=log", "file", file, `logfile=${logFile}`];
  const server = await startListening({ name: "nbdkit", command: command as [string, ...string[]], socket });
  let seen = 0;
  return {
    uri: socketUri(socket),
    async readBytes() {
      const lines = (await readFile(logFile, "utf8")).split("\n");
      const fresh = lines.slice(seen);
      // The last one may not be written to its end.
      seen = lines.length - 1;
      return loggedReadBytes(fresh.slice(0, -1));
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Lines as nbdkit's log filter writes them: `... Read id=7 offset=0x1000 count=0x100000 ...`, and `...Read` when done. */
export function loggedReadBytes(lines: readonly string[]): number {
  let bytes = 0;
  for (const line of lines) bytes += Number(/ Read id=\d+ offset=\S+ count=(0x[0-9a-f]+|\d+)/.exec(line)?.[1] ?? 0);
  return bytes;
}
