/**
 * What an attach leaves that was killed on its way, as by the time limit of its unit, and a detach that was, or that was refused, as
 * where the disk is in use: it is found, and taken for nobody else's.
 */
import { basename, dirname, join } from "node:path";
import type { Programs } from "#src/host/programs.ts";
import { type Attachment, type AttachmentPlace, allAttachments } from "./attachment.ts";
import { isTaken } from "./kernel-client.ts";
import { mountsOf } from "./mount-table.ts";

/** A process has begun to bring it here or to take it away, is gone, and had not come to its end. */
export function isCutShort(programs: Programs, { by, takenAwayBy }: Attachment): boolean {
  const processes = [by, takenAwayBy].filter((one) => one !== undefined);
  return processes.length > 0 && !processes.some((one) => isAtWork(programs, one));
}

/** Its number may be ours by now, or that of another program. */
function isAtWork(programs: Programs, process: number): boolean {
  return process !== programs.processId && wordsOf(programs, process).some((word) => /^(at|de)tach$/.test(word));
}

/** The attachment with the device that it has: one that could not be noted any more is found, and one that is another's now is left out. */
export function withOwnDevice(programs: Programs, place: AttachmentPlace, attachment: Attachment): Attachment {
  const { device: noted, ...rest } = attachment;
  const device = noted === undefined ? leftDevice(programs, place, attachment) : ownDevice(programs, place, attachment);
  return device === undefined ? rest : { ...rest, device };
}

/** A device goes by itself when the last one lets go of it who has held it open, and then somebody else may have it. */
function ownDevice(programs: Programs, place: AttachmentPlace, { name, client, device = "", holder }: Attachment) {
  const block = `/sys/block/${basename(device)}`;
  if (client === "fuse") {
    const file = programs.textOf(`${block}/loop/backing_file`)?.trim();
    // The kernel tells the path without symbolic links.
    const tail = join("/", basename(place.folder), basename(place.mountPoint), name);
    return file?.endsWith(tail) === true ? device : undefined;
  }
  const present = programs.textOf(`${block}/pid`)?.trim();
  return holder !== undefined && present !== undefined && present !== holder ? undefined : device;
}

function leftDevice(programs: Programs, place: AttachmentPlace, { name, client, by, intended }: Attachment) {
  if (by === undefined) return undefined;
  if (client === "fuse") return loopOver(programs, join(place.mountPoint, name));
  if (intended === undefined || !isTaken(programs, basename(intended))) return undefined;
  const others = allAttachments(programs, dirname(place.folder)).filter((one) => one.name !== name);
  const isOthers = others.some(({ device }) => device === intended) || isInUse(programs, intended);
  return isOthers ? undefined : intended;
}

function loopOver(programs: Programs, file: string): string | undefined {
  const isOver = (name: string): boolean => programs.textOf(`/sys/block/${name}/loop/backing_file`)?.trim() === file;
  const found = programs.namesIn("/sys/block").find(isOver);
  return found === undefined ? undefined : `/dev/${found}`;
}

/** The kernel does not tell whose a device is. One that is in use is not ours: ours are noted before anybody uses them. */
function isInUse(programs: Programs, device: string): boolean {
  const block = `/sys/block/${basename(device)}`;
  const [program = "nbd-client"] = wordsOf(programs, Number(programs.textOf(`${block}/pid`)));
  const isMounted = mountsOf(programs.textOf("/proc/self/mounts") ?? "", device).length > 0;
  return isMounted || programs.namesIn(`${block}/holders`).length > 0 || basename(program) !== "nbd-client";
}

/** As it was started; none where it is gone. */
function wordsOf(programs: Programs, processId: number): string[] {
  return programs.textOf(`/proc/${processId}/cmdline`)?.split("\0") ?? [];
}
