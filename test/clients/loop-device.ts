/** A block device of this machine over a file, until the test ends. */
import { onTestFinished } from "vitest";
import { succeed } from "./command.ts";

export async function loopDeviceOver(file: string, ...options: readonly string[]): Promise<string> {
  const { stdout } = await succeed("losetup", ["--find", "--show", ...options, file]);
  const device = stdout.trim();
  onTestFinished(async () => void (await succeed("losetup", ["-d", device])));
  return device;
}
