/** A server on a Unix socket of its own, in this process, gone when the test ends. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Clock } from "#src/host/clock.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import type { Sockets } from "#src/host/socket.ts";
import type { ExportDirectory, NbdExport } from "#src/nbd/export.ts";
import { NbdServer } from "#src/nbd/server.ts";
import type { NbdServerOptions, ServerEvent } from "#src/nbd/server-context.ts";
import { SteppedClock } from "./stepped-clock.ts";

export interface Served {
  readonly server: NbdServer;
  readonly path: string;
  readonly events: readonly ServerEvent[];
}

export interface ServedOptions {
  readonly clock?: Clock;
  readonly exports?: ExportDirectory;
  readonly sockets?: Sockets;
  readonly tls?: NonNullable<NbdServerOptions["tls"]>;
}

export async function serve(target: NbdExport, options: ServedOptions = {}): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), "tidemark-hostile-"));
  const events: ServerEvent[] = [];
  const server = new NbdServer({
    exports: { find: (name) => (name === "" || name === target.name ? target : undefined), list: () => [target] },
    sockets: nodeSockets,
    clock: nodeClock,
    report: (event) => events.push(event),
    ...options,
  });
  const path = join(folder, "socket");
  await server.listen({ kind: "unix", path });
  onTestFinished(async () => {
    await closed(server, options.clock);
    await rm(folder, { recursive: true });
  });
  return { server, path, events };
}

async function closed(server: NbdServer, clock: Clock | undefined): Promise<void> {
  let isClosed = false;
  const closing = server.close(0).then(() => {
    isClosed = true;
  });
  // Nobody else moves this clock's hands.
  if (clock instanceof SteppedClock) {
    while (!isClosed) {
      clock.pass(1);
      await turn();
    }
  }
  await closing;
}

/** Gives the event loop turns until the condition holds; a test that waits in vain runs into its time limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
