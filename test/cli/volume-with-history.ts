/** A running program with a volume that was written to, marked, and written to again. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { MiB } from "#src/core/limits.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import type { Outlast } from "#test/once-for-file.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

export const sizeBytes = 8 * MiB;
export const blockBytes = 4096;

/** A volume with a mark in the middle of its history. */
export async function withHistory(outlast: Outlast = onTestFinished) {
  const folder = temporaryFolder(outlast);
  const up = await RunningProgram.startFor(outlast, "up", join(folder, "data"), "--set", "store.sealAfterSeconds=1");
  const add = ["volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "8M"];
  const { uris } = (await up.asked(...add)) as VolumeReport;
  const uri = uris[0] as string;
  const client = await openVolume(uri);
  for (let block = 0; block < 64; block++) await client.write(block * 16_384, Buffer.alloc(blockBytes, 1 + block));
  await client.flush();
  await up.asked("mark", "disk", "--name", "early");
  const early = readFileSync(join(folder, "disk.img"));
  await client.write(32_768, Buffer.alloc(8192, 0xee));
  await client.write(4 * MiB, Buffer.alloc(blockBytes, 0xdd));
  await client.trim(0, blockBytes);
  await client.flush();
  await client.disconnect();
  await up.asked("mark", "disk", "--name", "late");
  const late = readFileSync(join(folder, "disk.img"));
  await whenSeen(async () => {
    const [group] = (await up.status()).remoteGroups;
    expect(group?.durable).toBeGreaterThan(66);
  });
  return { up, folder, uri, early, late };
}
