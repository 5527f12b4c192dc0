/** What attaching and detaching work with. */
import { attachLookMs } from "#src/core/attach-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { ProgramEnding, Programs } from "#src/host/programs.ts";

export interface Hands {
  readonly programs: Programs;
  readonly clock: Clock;
}

/** Debian's packages. */
const packages: Readonly<Record<string, string>> = {
  "nbd-client": "nbd-client",
  nbdfuse: "libnbd-bin",
  fusermount3: "fuse3",
  losetup: "mount",
  mount: "mount",
  umount: "mount",
  blkid: "util-linux",
  "mkfs.ext4": "e2fsprogs",
  "mkfs.xfs": "xfsprogs",
  "mkfs.btrfs": "btrfs-progs",
};

/** Names the package of a program that is not there. */
export async function runHere(
  { programs }: Hands,
  program: string,
  programArguments: readonly string[],
  withinMs: number,
): Promise<ProgramEnding> {
  try {
    return await programs.run(program, programArguments, withinMs);
  } catch (error) {
    throw explainMissing(error, program);
  }
}

export function explainMissing(error: unknown, program: string): Error {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") return error as Error;
  const from = packages[program];
  const advice = from === undefined ? "" : `; it is in Debian's package ${from}`;
  return new Error(`this takes the program ${program}, which is not here${advice}`, { cause: error });
}

/** As `runHere`, for what must succeed. Answers what it printed. */
export async function succeedHere(
  hands: Hands,
  program: string,
  programArguments: readonly string[],
  withinMs: number,
): Promise<string> {
  const ending = await runHere(hands, program, programArguments, withinMs);
  if (ending.status === 0) return ending.output.trim();
  throw new Error(`${program} ${howItEnded(ending, withinMs)}`);
}

export function howItEnded({ status, isLate, words }: ProgramEnding, withinMs: number): string {
  if (isLate) return `did not come to an end within ${withinMs / 1000} s`;
  const said = words === "" ? "" : `: ${words}`;
  return status === undefined ? `was ended by a signal${said}` : `ended with status ${status}${said}`;
}

/** Whether it came true in time. */
export async function comesTrue({ clock }: Hands, look: () => boolean, withinMs: number): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + withinMs;
  while (!look()) {
    if (clock.monotonicMs() >= deadlineMs) return false;
    await new Promise<void>((resolve) => void clock.timer(attachLookMs, resolve));
  }
  return true;
}
