/** Boots the guest, lets it run one script against servers of this machine, and reads from its console what came of it. */
import { readFile } from "node:fs/promises";
import { succeed } from "../command.ts";
import type { Guest } from "./initramfs.ts";

/** For the whole life of a machine whose processor is played, beside others that want this one. */
export const lifeMs = 900_000;

export interface GuestReport {
  /** The steps that the guest ended well, in its order; the last is `done` where nothing failed. */
  readonly steps: readonly string[];
  /** All that was on the console, for a person. */
  readonly console: string;
}

/** Where a program did not end well, what it said; the console shows how far it came. */
async function complaintOf(program: string, programArguments: readonly string[]): Promise<string> {
  try {
    return (await succeed(program, programArguments, { timeoutMs: lifeMs })).stderr;
  } catch (error) {
    return String(error);
  }
}

/** `settings` become variables of the script. Every address of this machine's loopback is 10.0.2.2 for the guest. */
export async function runInGuest(
  guest: Guest,
  script: string,
  settings: Readonly<Record<string, string | number>>,
): Promise<GuestReport> {
  const variables = Object.entries({ SCRIPT: script, ...settings }).map(([name, value]) => `${name}=${value}`);
  const consoleFile = `${guest.initramfsFile}.console`;
  const complaint = await complaintOf("qemu-system-x86_64", [
    ...["-accel", "tcg", "-m", "512", "-smp", "1", "-nodefaults", "-display", "none", "-no-reboot"],
    // To a file: from a pipe whose reader is slow, characters get lost.
    ...["-serial", `file:${consoleFile}`, "-monitor", "none"],
    ...["-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0,romfile="],
    ...["-kernel", guest.kernelFile, "-initrd", guest.initramfsFile],
    ...["-append", ["console=ttyS0", "quiet", "panic=-1", ...variables].join(" ")],
  ]);
  const text = (await readFile(consoleFile, "utf8")).replaceAll("\r", "") + complaint;
  const steps = [...text.matchAll(/^GUEST: (.*)$/gm)].flatMap((match) => match[1] ?? []);
  return { steps, console: text };
}
