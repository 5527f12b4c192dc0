/** What a volume's definition says of its source, opened: a file, a block device, or an export of an NBD server. */
import { dirname, join } from "node:path";
import { RefuseError } from "#src/core/errors.ts";
import type { Machine } from "#src/host/machine.ts";
import { readTextFile } from "#src/host/node/text-file.ts";
import { inWords, systemReason } from "#src/host/system-words.ts";
import { whenDone } from "#src/host/when-done.ts";
import { DeviceSource } from "#src/interceptor/device-source.ts";
import { openNbdSource } from "#src/interceptor/nbd-source.ts";
import type { Source } from "#src/interceptor/source.ts";
import { readsZeros } from "#src/interceptor/source-zeros.ts";
import { describeExport, type ExportDescription, type ServerOptions } from "#src/nbd/client/connect.ts";
import { isNbdUri, type NbdUri, parseNbdUri } from "#src/nbd/uri.ts";
import type { Measured } from "./side.ts";

export async function openSource(machine: Machine, source: string): Promise<Source> {
  if (isNbdUri(source)) return openRemoteSource(machine, parseNbdUri(source));
  if (!source.startsWith("/")) throw new RefuseError(`a source is an absolute path or an NBD URI, unlike '${source}'`);
  try {
    return new DeviceSource(machine.openBlockDevice(source, { readOnly: false }), machine.clock);
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException, source);
  }
}

async function openRemoteSource(machine: Machine, uri: NbdUri): Promise<Source> {
  return openNbdSource({ ...serverOf(machine, uri), exportName: uri.exportName });
}

/** What its server tells of an export, without opening it: others may have it open. */
export async function describeRemote(machine: Machine, source: string): Promise<ExportDescription> {
  const uri = parseNbdUri(source);
  return describeExport(serverOf(machine, uri), uri.exportName);
}

function serverOf({ files, sockets, clock }: Machine, uri: NbdUri): ServerOptions {
  const common = { sockets, clock, address: uri.address };
  if (!uri.tls) return common;
  const tls = {
    ...(uri.tlsCertificates === undefined ? {} : credentialsIn(files, uri.tlsCertificates)),
    ...(uri.tlsHostname === undefined ? {} : { serverName: uri.tlsHostname }),
  };
  return { ...common, tls };
}

/** Named as libnbd and QEMU name them: the authority that the server is known by, and where it asks for one a certificate of one's own. */
function credentialsIn(files: Machine["files"], folder: string) {
  const read = (name: string): string => {
    try {
      return readTextFile(join(folder, name));
    } catch (error) {
      throw new RefuseError(`tls-certificates: ${inWords(error)}`, { cause: error });
    }
  };
  const ca = read("ca-cert.pem");
  const isNameless = !["client-cert.pem", "client-key.pem"].some((name) => files.exists(join(folder, name)));
  return isNameless ? { ca } : { ca, cert: read("client-cert.pem"), key: read("client-key.pem") };
}

/** Refused in words: whoever tries again later may find it mended. */
export function explained(error: NodeJS.ErrnoException, source: string): RefuseError {
  const { code, message, cause } = error;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: `${source}: there is no such file`,
    EISDIR: `${source} is a folder; a file or a block device is needed`,
    EACCES: `${source} may not be read and written by this user`,
    EPERM: `${source} may not be read and written by this user`,
    EROFS: `${source} is on a file system that is read-only`,
    EBUSY: `${source} is in use by another program: mounted, served, or protected already`,
  };
  // Some name it themselves.
  const other = message.startsWith(source) ? message : `${source}: ${systemReason(error) ?? message}`;
  return new RefuseError((code === undefined ? undefined : reasons[code]) ?? other, { cause });
}

export async function measureSource(machine: Machine, source: string): Promise<Measured> {
  if (!isNbdUri(source) && !machine.files.exists(source)) {
    throw new RefuseError(`${source}: there is no such file; --size would make it`);
  }
  const opened = await openSource(machine, source);
  try {
    const { sizeBytes } = opened;
    if (sizeBytes === 0) throw new RefuseError(`${source} is empty, and a volume is not`);
    return { sizeBytes, hasContent: !(await readsZeros(opened, 0)) };
  } finally {
    await opened.close();
  }
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
    } catch (error) {
      files.remove(path);
      throw error;
    } finally {
      handle.close();
    }
    await whenDone((done) => files.syncFolder(dirname(path), done));
  } catch (error) {
    if (error instanceof RefuseError) throw error;
    const isHomeless = !files.exists(dirname(path));
    const why = isHomeless ? `there is no folder ${dirname(path)}` : (systemReason(error) ?? (error as Error).message);
    throw new RefuseError(`${path} could not be made: ${why}`, { cause: error });
  }
}

/** One that `createSource` made, and nobody has written to. */
export async function removeSource({ files }: Machine, path: string): Promise<void> {
  files.remove(path);
  await whenDone((done) => files.syncFolder(dirname(path), done));
}
