/** A file system of its own on a small disk. */
import { mkdir } from "node:fs/promises";
import { onTestFinished } from "vitest";
import { succeed } from "#test/clients/command.ts";
import type { TemporaryFolder } from "#test/clients/harness.ts";
import { createImage } from "#test/clients/image.ts";
import { loopDeviceOver } from "#test/clients/loop-device.ts";
import { until } from "./until.ts";

/** Answers where it is mounted, until the test ends; its image stays in the folder. */
export async function smallDisk(folder: TemporaryFolder, name: string, sizeBytes: number): Promise<string> {
  const image = await createImage(folder.file(`${name}.img`), sizeBytes);
  await succeed("mkfs.ext4", ["-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", image]);
  const path = folder.file(name);
  await mkdir(path);
  await succeed("mount", [await loopDeviceOver(image), path]);
  // Processes of a program that was killed end a moment later.
  onTestFinished(async () => void (await until(`${name} is unmounted`, () => succeed("umount", [path]))));
  return path;
}
