/** A file system on a protected volume, in use by this machine, and how far the remote appliance has it. */
import { join } from "node:path";
import { expect, vi } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { RunningProgram } from "#test/cli/running-program.ts";
import { patience } from "#test/patience.ts";
import { type AttachedDisk, attach, type MountedDisk, mount } from "./attached-disk.ts";
import { succeed } from "./command.ts";
import type { TemporaryFolder } from "./harness.ts";

export interface ProtectedDisk {
  readonly up: RunningProgram;
  readonly host: AttachedDisk;
  readonly mounted: MountedDisk;
}

/** A new ext4 on a volume that is called `disk`. */
export async function protectedDisk(folder: TemporaryFolder, size: string): Promise<ProtectedDisk> {
  const up = await RunningProgram.start("up", join(folder.path, "data"), "--set", "store.sealAfterSeconds=2");
  const add = ["volume", "add", "disk", "--source", folder.file("disk.img"), "--size", size];
  const { uris } = (await up.asked(...add)) as VolumeReport;
  const host = await attach(folder, uris[0] as string);
  await succeed("mkfs.ext4", ["-q", host.device]);
  return { up, host, mounted: await mount(folder, host.device) };
}

/** Of the newest record that there is. */
export async function lastSeq(up: RunningProgram): Promise<number> {
  return (await up.status()).groups[0]?.lastSeq ?? 0;
}

/** The remote appliance has all until there, durably. */
export async function durable(up: RunningProgram, seq: number): Promise<void> {
  await vi.waitFor(
    async () => expect((await up.status()).remoteGroups[0]?.durable).toBeGreaterThanOrEqual(seq),
    patience,
  );
}
