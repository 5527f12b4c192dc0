/** A device behind a server, until somebody ends it. */
import { shutdownGraceMs } from "#src/core/limits.ts";
import type { BlockDevice } from "#src/host/block-device.ts";
import { openBlockDevice } from "#src/host/node/block-device.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import { keepNursery } from "#src/host/node/start-memory.ts";
import type { SocketAddress, TlsCredentials } from "#src/host/socket.ts";
import { DeviceExport } from "#src/nbd/device-export.ts";
import type { ExportDirectory, NbdExport } from "#src/nbd/export.ts";
import type { TlsPolicy } from "#src/nbd/handshake.ts";
import { NbdServer } from "#src/nbd/server.ts";
import type { ServerEvent } from "#src/nbd/server-context.ts";
import { formatNbdUri } from "#src/nbd/uri.ts";
import { endingSignal } from "./ending-signal.ts";
import { explainFile, explainListening } from "./failure.ts";

export interface Serving {
  readonly device: BlockDevice;
  readonly exportName: string;
  readonly description: string;
  readonly address: SocketAddress;
  readonly tls?: { readonly policy: TlsPolicy; readonly credentials: TlsCredentials };
  readonly report: (event: ServerEvent) => void;
}

export interface Started {
  readonly uri: string;
  /** Resolves when the server has ended because of a signal. */
  readonly ended: Promise<void>;
}

export async function startServing(serving: Serving): Promise<Started> {
  const served = new DeviceExport(serving.device, {
    name: serving.exportName,
    description: serving.description,
    clock: nodeClock,
  });
  const server = new NbdServer({
    exports: onlyExport(served),
    sockets: nodeSockets,
    clock: nodeClock,
    report: serving.report,
    ...(serving.tls === undefined ? {} : { tls: serving.tls }),
  });
  const signal = endingSignal();
  const address = await server.listen(serving.address).catch(async (error: Error) => {
    await server.close(0);
    serving.device.close();
    throw explainListening(error, placeOf(serving.address));
  });
  keepNursery();
  const ended = signal.then(async () => {
    await server.close(shutdownGraceMs);
    await synced(serving.device);
    serving.device.close();
  });
  return { uri: uriOf(address, serving), ended };
}

/** Opens what is to be served, or says what is wrong with it. */
export function openServed(path: string, readOnly: boolean): BlockDevice {
  try {
    return openBlockDevice(path, { readOnly, exclusive: true });
  } catch (error) {
    const explained = explainFile(error, path);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw explained;
    throw new Error(`${explained.message}; 'truncate -s 1G ${path}' would make an empty disk`, { cause: error });
  }
}

/** For people only what went wrong is worth a line. */
export function reportAsText(event: ServerEvent): void {
  if (event.kind === "dropped") process.stderr.write(`dropped a client (${event.peer}): ${event.why}\n`);
}

function placeOf(address: SocketAddress): string {
  if (address.kind === "unix") return address.path;
  return address.kind === "tcp" ? `${address.host}:${address.port}` : "the socket that was handed over";
}

/** One export is also what a client gets that names none. */
function onlyExport(served: NbdExport): ExportDirectory {
  return {
    find: (name) => (name === "" || name === served.name ? served : undefined),
    list: () => [served],
  };
}

function uriOf(address: SocketAddress, serving: Serving): string {
  if (address.kind === "inherited") return "(the socket that was handed over)";
  return formatNbdUri({ address, exportName: serving.exportName, tls: serving.tls?.policy === "require" });
}

/** What was replied to but never flushed need not survive a power cut, but a clean end should leave nothing to chance. */
function synced(device: BlockDevice): Promise<void> {
  if (device.readOnly) return Promise.resolve();
  return new Promise((resolve, reject) => {
    device.sync((error) => (error === null ? resolve() : reject(error)));
  });
}
