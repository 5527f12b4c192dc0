/**
 * Makes a block device of an export: by the kernel's own NBD client where there is one, else by nbdfuse, which shows it as a
 * file, and a loop device over that. What has been begun is taken away again where it comes to nothing.
 */
import { basename, join } from "node:path";
import { attachReadyMs, attachStepMs, makeFileSystemMs } from "#src/core/attach-limits.ts";
import { RefuseError } from "#src/core/errors.ts";
import type { Daemon, ProgramEnding } from "#src/host/programs.ts";
import type { AttachClient, Attachment, AttachmentPlace } from "./attachment.ts";
import { detachDisk } from "./detach-disk.ts";
import { comesTrue, explainMissing, type Hands, howItEnded, runHere, succeedHere } from "./hands.ts";
import { connectArguments, freeKernelDevices, kernelDeviceSectors } from "./kernel-client.ts";

/** As blkid ends. */
const nothingFound = 2;

export interface AttachOrder {
  readonly name: string;
  readonly uri: string;
  /** Undefined: the best there is. */
  readonly client: AttachClient | undefined;
  /** No block device, which takes root, but a file. */
  readonly isFileOnly: boolean;
  readonly isReadOnly: boolean;
  /** The file system that an empty device gets first. */
  readonly makeFileSystem: string | undefined;
  readonly mountAt: string | undefined;
}

export async function attachDisk(hands: Hands, place: AttachmentPlace, order: AttachOrder): Promise<Attachment> {
  const { programs } = hands;
  programs.makeFolder(place.folder);
  const { name, uri } = order;
  try {
    const client = order.isFileOnly ? "fuse" : (order.client ?? (await bestClient(hands)));
    // Known before there is anything, so that detach finds what a killed attach has left.
    place.save(programs, { name, uri, client, by: programs.processId });
    const attached = await (client === "kernel" ? byKernel : byFuse)(hands, place, order);
    place.save(programs, { ...attached, by: programs.processId });
    const whole = await mounted(hands, attached, order);
    place.save(programs, whole);
    return whole;
  } catch (error) {
    const begun = place.read(programs) ?? { name, uri, client: "fuse" };
    await detachDisk(hands, place, begun, { isForced: true, withinMs: attachStepMs }).catch(() => undefined);
    throw error;
  }
}

async function bestClient(hands: Hands): Promise<AttachClient> {
  if (!(await hasKernelClient(hands))) return "fuse";
  const present = await hands.programs.run("nbd-client", ["--version"], attachStepMs).catch(() => undefined);
  return present === undefined ? "fuse" : "kernel";
}

async function hasKernelClient({ programs }: Hands): Promise<boolean> {
  const isThere = (): boolean => programs.namesIn("/sys/block").some((name) => /^nbd\d+$/.test(name));
  if (isThere()) return true;
  await programs.run("modprobe", ["nbd"], attachStepMs).catch(() => undefined);
  return isThere();
}

async function byKernel(hands: Hands, place: AttachmentPlace, order: AttachOrder): Promise<Attachment> {
  const { name, uri, isReadOnly } = order;
  const begun: Attachment = { name, uri, client: "kernel", by: hands.programs.processId };
  if (!(await hasKernelClient(hands))) {
    throw new RefuseError("this machine's kernel has no NBD client; without --client kernel nbdfuse is taken");
  }
  let why = "all of the kernel's NBD devices are in use";
  for (const device of freeKernelDevices(hands.programs)) {
    const connect = connectArguments({ uri, device, isReadOnly });
    place.save(hands.programs, { ...begun, intended: device });
    const ending = await runHere(hands, "nbd-client", connect, attachReadyMs);
    // It comes back before the kernel is done.
    const isReady = (): boolean => kernelDeviceSectors(hands.programs, basename(device)) > 0;
    if (ending.status === 0 && (await comesTrue(hands, isReady, attachStepMs))) {
      const holder = hands.programs.textOf(`/sys/block/${basename(device)}/pid`)?.trim();
      return { name, uri, client: "kernel", device, ...(holder === undefined ? {} : { holder }) };
    }
    // It has not got it, and nobody may take it from who has.
    if (ending.status !== undefined && ending.status !== 0) place.save(hands.programs, begun);
    why = `nbd-client could not attach ${device}: ${ending.words || "no answer in time"}`;
    // Somebody else was quicker with that one; anything else would fail with the next one too.
    if (!/busy|in use/i.test(ending.words)) break;
  }
  throw new Error(why);
}

async function byFuse(hands: Hands, place: AttachmentPlace, order: AttachOrder): Promise<Attachment> {
  const { programs } = hands;
  const { name, uri, isReadOnly, isFileOnly } = order;
  programs.makeFolder(place.mountPoint);
  const file = join(place.mountPoint, name);
  const flags = isReadOnly ? ["--readonly"] : [];
  let daemon: Daemon;
  try {
    daemon = await programs.startDaemon("nbdfuse", [...flags, "--pidfile", place.processFile, file, uri], place.words);
  } catch (error) {
    throw explainMissing(error, "nbdfuse");
  }
  const isReady = (): boolean => programs.textOf(place.processFile) !== undefined;
  const isDecided = await comesTrue(hands, () => isReady() || daemon.hasEnded(), attachReadyMs);
  if (!isReady()) {
    programs.kill(daemon.processId);
    const words = programs.textOf(place.words)?.trim();
    throw new Error(`nbdfuse could not attach ${uri}: ${words || (isDecided ? "it ended" : "no answer in time")}`);
  }
  if (isFileOnly) return { name, uri, client: "fuse", file };
  const loopFlags = isReadOnly ? ["--read-only"] : [];
  const device = await succeedHere(hands, "losetup", ["--find", "--show", ...loopFlags, file], attachStepMs);
  return { name, uri, client: "fuse", file, device };
}

async function mounted(hands: Hands, attached: Attachment, order: AttachOrder): Promise<Attachment> {
  const { device } = attached;
  const { makeFileSystem, mountAt, isReadOnly } = order;
  if (device === undefined) return attached;
  if (makeFileSystem !== undefined) await madeFileSystem(hands, device, makeFileSystem);
  if (mountAt === undefined) return attached;
  hands.programs.makeFolder(mountAt);
  const look = await hands.programs.run("blkid", ["--probe", device], attachStepMs).catch(() => undefined);
  // Otherwise XFS refuses a view beside its volume: they have the same UUID.
  const options = [...(isReadOnly ? ["ro"] : []), ...(look?.output.includes('TYPE="xfs"') ? ["nouuid"] : [])];
  const flags = options.length === 0 ? [] : ["-o", options.join(",")];
  const ending = await runHere(hands, "mount", [...flags, device, mountAt], makeFileSystemMs);
  if (ending.status !== 0) throw new Error(whyNotMounted(ending, look?.status, isReadOnly));
  return { ...attached, mountedAt: mountAt };
}

/**
 * What mount says of a device that is empty, or was written over, or in use at that moment, is of no help to anybody. `found`: as
 * blkid ended.
 */
function whyNotMounted(ending: ProgramEnding, found: number | undefined, isReadOnly: boolean): string {
  const why = `mount ${howItEnded(ending, makeFileSystemMs)}`;
  if (found === nothingFound) return `${why}\nThere is no file system on it: --mkfs ext4 makes one first`;
  if (!isReadOnly || found !== 0) return why;
  return `${why}\nIf its file system was in use at that moment, it is put in order first: that takes 'view open … --writable'`;
}

/** Only where there is nothing that anybody could miss. */
async function madeFileSystem(hands: Hands, device: string, kind: string): Promise<void> {
  const look = await runHere(hands, "blkid", ["--probe", device], attachStepMs);
  if (look.status === 0)
    throw new RefuseError(`nothing is made there, since it holds something: ${look.output.trim()}`);
  if (look.status !== nothingFound) throw new Error(`${device} cannot be read: ${look.words || "no answer in time"}`);
  await succeedHere(hands, `mkfs.${kind}`, [device], makeFileSystemMs);
}
