/** What a volume's definition says of its source, opened: a file, a block device, or an export of an NBD server. */
import { dirname, join } from "node:path";
import { RefuseError } from "#src/core/errors.ts";
import type { Machine } from "#src/host/machine.ts";
import { readTextFile } from "#src/host/node/text-file.ts";
import { whenDone } from "#src/host/when-done.ts";
import { DeviceSource } from "#src/interceptor/device-source.ts";
import { openNbdSource } from "#src/interceptor/nbd-source.ts";
import type { Source } from "#src/interceptor/source.ts";
import { isNbdUri, type NbdUri, parseNbdUri } from "#src/nbd/uri.ts";

export async function openSource(machine: Machine, source: string): Promise<Source> {
  if (isNbdUri(source)) return openRemoteSource(machine, parseNbdUri(source));
  if (!source.startsWith("/")) throw new RefuseError(`a source is an absolute path or an NBD URI, unlike '${source}'`);
  try {
    return new DeviceSource(machine.openBlockDevice(source, { readOnly: false }), machine.clock);
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException, source);
  }
}

function openRemoteSource({ sockets, clock }: Machine, uri: NbdUri): Promise<Source> {
  const { address, exportName } = uri;
  const common = { sockets, clock, address, exportName };
  if (!uri.tls) return openNbdSource(common);
  const tls = {
    ...(uri.tlsCertificates === undefined ? {} : credentialsIn(uri.tlsCertificates)),
    ...(uri.tlsHostname === undefined ? {} : { serverName: uri.tlsHostname }),
  };
  return openNbdSource({ ...common, tls });
}

/** Named as libnbd and QEMU name them. */
function credentialsIn(folder: string) {
  return {
    ca: readTextFile(join(folder, "ca-cert.pem")),
    cert: readTextFile(join(folder, "client-cert.pem")),
    key: readTextFile(join(folder, "client-key.pem")),
  };
}

function explained(error: NodeJS.ErrnoException, source: string): Error {
  const { code, message, cause } = error;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: `${source}: there is no such file; with a size it would be made`,
    EISDIR: `${source} is a folder; a file or a block device is needed`,
    EACCES: `${source} may not be read and written by this user`,
    EPERM: `${source} may not be read and written by this user`,
    EROFS: `${source} is on a file system that is read-only`,
    EBUSY: `${source} is in use by another program: mounted, served, or protected already`,
  };
  return new RefuseError((code === undefined ? undefined : reasons[code]) ?? `${source}: ${message}`, { cause });
}

/** A sparse file, durably there. What is there already is never touched. */
export async function createSource({ files }: Machine, path: string, sizeBytes: number): Promise<void> {
  if (isNbdUri(path)) throw new RefuseError("an export of an NBD server is not made by giving it a size");
  try {
    if (files.exists(path)) throw new RefuseError(`${path} is there already: it is protected as it is, without a size`);
    const handle = files.create(path);
    try {
      handle.truncateNow(sizeBytes);
      await whenDone((done) => handle.sync(done));
    } finally {
      handle.close();
    }
    await whenDone((done) => files.syncFolder(dirname(path), done));
  } catch (error) {
    if (error instanceof RefuseError) throw error;
    throw new RefuseError(`${path} could not be made: ${(error as Error).message}`, { cause: error });
  }
}
