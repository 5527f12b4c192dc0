/** The kernel's own NBD client: which device is free, and what its program is told. */
import { join } from "node:path";
import { kernelAnswerSeconds } from "#src/core/attach-limits.ts";
import { RefuseError } from "#src/core/errors.ts";
import type { Programs } from "#src/host/programs.ts";
import { parseNbdUri } from "#src/nbd/uri.ts";

export interface KernelConnect {
  readonly uri: string;
  readonly device: string;
  readonly isReadOnly: boolean;
}

/** The arguments of nbd-client. */
export function connectArguments({ uri, device, isReadOnly }: KernelConnect): string[] {
  const { address, exportName, tls, tlsCertificates, tlsHostname } = parseNbdUri(uri);
  const place = address.kind === "unix" ? ["-unix", address.path] : [address.host, String(address.port)];
  const credentials = tls ? tlsArguments(tlsCertificates, tlsHostname) : [];
  const flags = isReadOnly ? ["-readonly"] : [];
  return [...place, device, "-N", exportName, "-timeout", String(kernelAnswerSeconds), ...flags, ...credentials];
}

function tlsArguments(folder: string | undefined, hostname: string | undefined): string[] {
  if (folder === undefined) throw new RefuseError("this volume is attached over TLS: give --tls-certificates FOLDER");
  return [
    ...["-enable-tls", "-cacertfile", join(folder, "ca-cert.pem")],
    ...["-certfile", join(folder, "client-cert.pem"), "-keyfile", join(folder, "client-key.pem")],
    ...(hostname === undefined ? [] : ["-tlshostname", hostname]),
  ];
}

export function disconnectArguments(device: string): string[] {
  return ["-d", device];
}

/** Devices that nobody has, in their order. Of one that is in use the kernel tells whose it is. */
export function freeKernelDevices(programs: Programs): string[] {
  const numbers = programs
    .namesIn("/sys/block")
    .flatMap((name) => /^nbd(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  return numbers.filter((number) => !isTaken(programs, `nbd${number}`)).map((number) => `/dev/nbd${number}`);
}

export function isTaken(programs: Programs, name: string): boolean {
  return programs.textOf(`/sys/block/${name}/pid`) !== undefined || kernelDeviceSectors(programs, name) > 0;
}

export function kernelDeviceSectors(programs: Programs, name: string): number {
  return Number(programs.textOf(`/sys/block/${name}/size`)?.trim() ?? 0);
}
