/** What an attach leaves that was killed on its way, as by the time limit of its unit: it is found, and taken for nobody else's. */
import { basename, dirname, join } from "node:path";
import type { Programs } from "#src/host/programs.ts";
import { type Attachment, type AttachmentPlace, allAttachments } from "./attachment.ts";
import { isTaken } from "./kernel-client.ts";
import { mountsOf } from "./mount-table.ts";

/** Its process is gone, and had not come to its end. */
export function isCutShort(programs: Programs, { by }: Attachment): boolean {
  if (by === undefined) return false;
  return by === programs.processId || !wordsOf(programs, by).includes("attach");
}

/** The attachment with its device, where that could not be noted any more. */
export function withLeftDevice(programs: Programs, place: AttachmentPlace, attachment: Attachment): Attachment {
  if (attachment.device !== undefined || attachment.by === undefined) return attachment;
  const device = leftDevice(programs, place, attachment);
  return device === undefined ? attachment : { ...attachment, device };
}

function leftDevice(programs: Programs, place: AttachmentPlace, { name, client, intended }: Attachment) {
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
