/**
 * Takes an attached volume away, and never waits longer than it was told to: not for a server that does not answer any more,
 * nor for what hangs in the kernel because of it. First in order: unmount, write what is still to be written, remove the device,
 * say goodbye. Where the server is silent or gone, from the other end: its client is cut off, so that what waits fails, and the
 * mounts are taken out of the tree at once (`umount --lazy`). What was not written then is lost, and that is said.
 */
import { basename } from "node:path";
import { attachStepMs } from "#src/core/attach-limits.ts";
import { RefuseError } from "#src/core/errors.ts";
import type { ProgramEnding } from "#src/host/programs.ts";
import type { Attachment, AttachmentPlace } from "./attachment.ts";
import { withOwnDevice } from "./cut-short.ts";
import { comesTrue, type Hands, howItEnded, runHere } from "./hands.ts";
import { disconnectArguments } from "./kernel-client.ts";
import { isMountPoint, mountsOf } from "./mount-table.ts";

export interface DetachOrder {
  /** At once, whatever is in use or still to be written. */
  readonly isForced: boolean;
  readonly withinMs: number;
}

/** Why it was cut off; undefined: it went in order, and everything was written. */
export type CutOff = string | undefined;

export async function detachDisk(
  hands: Hands,
  place: AttachmentPlace,
  attachment: Attachment,
  { isForced, withinMs }: DetachOrder,
): Promise<CutOff> {
  const whole = withOwnDevice(hands.programs, place, attachment);
  // So that the next attach does not take what is left of it for an attached disk.
  place.save(hands.programs, { ...whole, takenAwayBy: hands.programs.processId });
  const detaching = new Detaching(hands, place, whole, hands.clock.monotonicMs() + withinMs);
  const why = isForced ? "it was told not to wait" : await detaching.inOrder();
  if (why !== undefined) await detaching.cutOff();
  hands.programs.removeFolder(place.folder);
  return why;
}

class Detaching {
  readonly #hands: Hands;
  readonly #place: AttachmentPlace;
  readonly #attachment: Attachment;
  readonly #deadlineMs: number;

  constructor(hands: Hands, place: AttachmentPlace, attachment: Attachment, deadlineMs: number) {
    this.#hands = hands;
    this.#place = place;
    this.#attachment = attachment;
    this.#deadlineMs = deadlineMs;
  }

  /** Answers why that does not work; throws where somebody still needs it. */
  async inOrder(): Promise<CutOff> {
    const { device } = this.#attachment;
    const why =
      device === undefined ? undefined : ((await this.#unmount(device)) ?? (await this.#removeDevice(device)));
    return why ?? (await this.#endFuse());
  }

  async #unmount(device: string): Promise<CutOff> {
    for (const path of this.#mounts(device)) {
      const why = this.#judged("umount", await this.#run("umount", [path]), `${path} is in use`);
      if (why !== undefined) return why;
    }
    const holders = this.#hands.programs.namesIn(`/sys/block/${basename(device)}/holders`);
    if (holders.length > 0) throw this.#inUse(`${device} is part of ${holders.join(", ")}`);
    return this.#judged("sync", await this.#run("sync", [device]), `${device} is in use`);
  }

  async #removeDevice(device: string): Promise<CutOff> {
    const isKernels = this.#attachment.client === "kernel";
    const ending = isKernels
      ? await this.#run("nbd-client", disconnectArguments(device))
      : await this.#run("losetup", ["--detach", device]);
    const why = this.#judged(isKernels ? "nbd-client" : "losetup", ending, `${device} is in use`);
    if (why !== undefined) return why;
    // The last one who has it open makes it go, such as udev, which looks at every device.
    const sign = `/sys/block/${basename(device)}/${isKernels ? "pid" : "loop/backing_file"}`;
    const isGone = (): boolean => this.#hands.programs.textOf(sign) === undefined;
    if (await comesTrue(this.#hands, isGone, this.#leftMs())) return undefined;
    throw this.#inUse(`${device} is held open by a program`);
  }

  async #endFuse(): Promise<CutOff> {
    const { mountPoint } = this.#place;
    if (!isMountPoint(this.#mountTable(), mountPoint)) return undefined;
    const ending = await this.#run("fusermount3", ["-u", mountPoint]);
    const why = this.#judged("fusermount3", ending, `${this.#attachment.file ?? mountPoint} is in use`);
    if (why !== undefined) return why;
    // Only then has it said goodbye to the server, and nothing is on its way any more.
    const hasEnded = await comesTrue(this.#hands, () => this.#fuseProcess() === undefined, this.#leftMs());
    return hasEnded ? undefined : "nbdfuse has not come to an end in time";
  }

  #judged(program: string, ending: ProgramEnding, busyWords: string): CutOff {
    if (ending.status === 0 || /not mounted|no such device/i.test(ending.words)) return undefined;
    if (/busy|in use/i.test(ending.words)) throw this.#inUse(busyWords);
    return ending.isLate ? "its server does not answer" : `${program} ${howItEnded(ending, 0)}`;
  }

  /** From the far end on, so that whatever waits for the server fails, and can go. None of it waits for anything that was written. */
  async cutOff(): Promise<void> {
    const { device, client } = this.#attachment;
    const process = this.#fuseProcess();
    if (process !== undefined) this.#hands.programs.kill(process);
    if (device !== undefined) {
      if (client === "kernel") await this.#try("nbd-client", disconnectArguments(device));
      for (const path of this.#mounts(device)) await this.#try("umount", ["--lazy", path]);
      if (client === "fuse") await this.#try("losetup", ["--detach", device]);
    }
    if (isMountPoint(this.#mountTable(), this.#place.mountPoint)) {
      await this.#try("fusermount3", ["-u", "-z", this.#place.mountPoint]);
    }
  }

  async #try(program: string, programArguments: readonly string[]): Promise<void> {
    await this.#hands.programs.run(program, programArguments, attachStepMs).catch(() => undefined);
  }

  #run(program: string, programArguments: readonly string[]): Promise<ProgramEnding> {
    return runHere(this.#hands, program, programArguments, this.#leftMs());
  }

  #leftMs(): number {
    return Math.max(1, this.#deadlineMs - this.#hands.clock.monotonicMs());
  }

  #mounts(device: string): string[] {
    return mountsOf(this.#mountTable(), device);
  }

  #mountTable(): string {
    return this.#hands.programs.textOf("/proc/self/mounts") ?? "";
  }

  /** Its number may be another's by now. */
  #fuseProcess(): number | undefined {
    const number = Number(this.#hands.programs.textOf(this.#place.processFile)?.trim());
    if (!Number.isSafeInteger(number) || number <= 0) return undefined;
    const line = this.#hands.programs.textOf(`/proc/${number}/cmdline`) ?? "";
    return line.includes("nbdfuse") && line.includes(this.#place.mountPoint) ? number : undefined;
  }

  #inUse(what: string): RefuseError {
    const force = `'tidemark detach ${this.#attachment.name} --force'`;
    return new RefuseError(`${what}; end what uses it, or cut it off with ${force}: what was not written is lost then`);
  }
}
