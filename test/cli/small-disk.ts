/** A program that protects a volume of 16 MiB with something in it, all of which is at its remote side. */
import { join } from "node:path";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { RunningProgram } from "./running-program.ts";

const MiB = 2 ** 20;

export async function protectedSmallDisk() {
  const folder = temporaryFolder();
  const up = await RunningProgram.start("up", join(folder, "data"));
  const add = ["volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "16M"];
  const { uris } = (await up.asked(...add)) as VolumeReport;
  const host = await openVolume(uris[0] as string);
  await host.write(0, Buffer.alloc(MiB, 1));
  await host.disconnect();
  await up.whenAllArrived();
  return { folder, up };
}
