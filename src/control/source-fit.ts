/** Brings a source to the size that its volume is to have. */
import { RefuseError } from "#src/core/errors.ts";
import type { BlockDevice } from "#src/host/block-device.ts";
import type { Machine } from "#src/host/machine.ts";
import { systemReason } from "#src/host/system-words.ts";
import { whenDone } from "#src/host/when-done.ts";
import { isNbdUri } from "#src/nbd/uri.ts";
import type { VolumeDefinition } from "./role.ts";
import { fitOf, resized, type SourceLook, unresized } from "./volume-resize.ts";
import { describeRemote, explained, openSource } from "./volume-source.ts";

export interface FittedVolume {
  /** With the size that its source has now. */
  readonly volume: VolumeDefinition;
  /** Why it is not the one that was wanted. */
  readonly refusal?: string;
}

/** May be done again after any crash. Nobody else may have the source open. */
export async function fitSource(machine: Machine, volume: VolumeDefinition): Promise<FittedVolume> {
  const { source, sizeBytes: previousBytes, resizeTo: wantedBytes } = volume;
  if (wantedBytes === undefined) return { volume };
  const look = isNbdUri(source) ? await lookAtExport(machine, source) : lookAtPath(machine, source);
  const fit = fitOf(look, { source, previousBytes, wantedBytes });
  if (fit.kind === "refuse") throw new RefuseError(look.kind === "file" ? fit.why : awaited(source, look, wantedBytes));
  if (fit.kind === "keep") return { volume: unresized(volume), refusal: fit.why };
  const refusal = fit.kind === "truncate" ? await truncate(machine, source, previousBytes, wantedBytes) : undefined;
  return refusal === undefined ? { volume: resized(volume) } : { volume: unresized(volume), refusal };
}

/** It is tried again and again, so this is no refusal of the order. */
function awaited(source: string, { sizeBytes }: SourceLook, wantedBytes: number): string {
  return `${source} has ${sizeBytes} bytes, and the volume is to have ${wantedBytes}: give it those, and the volume opens by itself`;
}

/** Also while a volume has it. */
export function lookAtPath(machine: Machine, source: string): SourceLook {
  try {
    const handle = machine.files.open(source, "read");
    const fileBytes = handle.sizeBytesNow();
    handle.close();
    const device = machine.openBlockDevice(source, { readOnly: true });
    const { sizeBytes } = device;
    device.close();
    // To the file system a block device has no length.
    return { kind: fileBytes === sizeBytes ? "file" : "device", sizeBytes };
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException, source);
  }
}

/** Not while a volume has it, for which it may be the only one. */
export async function lookAtExport(machine: Machine, source: string): Promise<SourceLook> {
  const opened = await openSource(machine, source);
  await opened.close();
  return { kind: "remote", sizeBytes: opened.sizeBytes };
}

/**
 * While a volume has it. Undefined: its server has no room for a second one, or does not answer; that may be seen when the volume has let
 * go of it.
 */
export async function lookBeside(machine: Machine, source: string): Promise<SourceLook | undefined> {
  try {
    return { kind: "remote", sizeBytes: (await describeRemote(machine, source)).sizeBytes };
  } catch {
    return undefined;
  }
}

/** Durably. Answers why it could not be done, where nothing of it was. */
async function truncate(
  machine: Machine,
  source: string,
  previousBytes: number,
  wantedBytes: number,
): Promise<string | undefined> {
  // Whoever else writes to it would lose what he writes: then it waits, as opening it would.
  const device = openedAlone(machine, source);
  const handle = machine.files.open(source, "readWrite");
  try {
    handle.truncateNow(wantedBytes);
    await whenDone((done) => handle.sync(done));
    return undefined;
  } catch (error) {
    if (handle.sizeBytesNow() !== previousBytes) throw error;
    return `${source} could not be given ${wantedBytes} bytes: ${systemReason(error) ?? (error as Error).message}`;
  } finally {
    handle.close();
    device.close();
  }
}

function openedAlone(machine: Machine, source: string): BlockDevice {
  try {
    return machine.openBlockDevice(source, { readOnly: false });
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException, source);
  }
}
