/** A served disk as a real block device of this machine: nbdfuse shows it as a file, a loop device takes the file. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { access, constants, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { whenSeen } from "#test/patience.ts";
import { succeed } from "./command.ts";
import type { TemporaryFolder } from "./harness.ts";

async function obstacle(devices: readonly string[]): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return "only root can make a loop device";
  for (const device of devices) {
    try {
      await access(device, constants.R_OK | constants.W_OK);
    } catch {
      return `this machine gives no access to ${device}`;
    }
  }
  return undefined;
}

/** Why there can be no loop device here, in words; undefined where there can. */
export function loopObstacle(): Promise<string | undefined> {
  return obstacle(["/dev/loop-control"]);
}

/** Why a disk cannot be attached here, in words; undefined where it can. */
export function attachObstacle(): Promise<string | undefined> {
  return obstacle(["/dev/fuse", "/dev/loop-control"]);
}

export interface AttachedDisk {
  /** The path of the block device. */
  readonly device: string;
  /** Takes loop device and FUSE mount away, and waits until nbdfuse has said goodbye to the server. */
  detach(): Promise<void>;
}

/** An action that runs once: when it is called, or else when the test ends. */
function atTheLatestAtTheEnd(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  const runOnce = () => {
    running ??= action();
    return running;
  };
  onTestFinished(runOnce);
  return runOnce;
}

async function showAsFile(uri: string, mountPoint: string): Promise<() => Promise<void>> {
  await mkdir(mountPoint);
  // Where the tests are killed it goes with them: whoever touches a mount that outlives its server hangs.
  const command = ["--pdeathsig", "KILL", "--", "nbdfuse", join(mountPoint, "disk"), uri];
  const child = spawn("setpriv", command, { stdio: ["ignore", "ignore", "pipe"] });
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words += text;
  });
  const gone = once(child, "exit");
  const hide = atTheLatestAtTheEnd(async () => {
    if (child.exitCode === null) await succeed("fusermount3", ["-u", mountPoint]);
    const [exitCode] = await gone;
    if (exitCode !== 0 || words !== "") throw new Error(`nbdfuse ended with ${exitCode}:\n${words}`);
  });
  await whenSeen(() => access(join(mountPoint, "disk")));
  return hide;
}

async function loopDevicesOf(file: string): Promise<string> {
  const { stdout } = await succeed("losetup", ["-j", file]);
  return stdout;
}

export async function attach(folder: TemporaryFolder, uri: string): Promise<AttachedDisk> {
  const mountPoint = folder.file(`fuse-${randomUUID()}`);
  const hideFile = await showAsFile(uri, mountPoint);
  const file = join(mountPoint, "disk");
  const device = (await succeed("losetup", ["--find", "--show", file])).stdout.trim();
  const removeLoop = atTheLatestAtTheEnd(async () => {
    await succeed("losetup", ["-d", device]);
    // The device stays as long as someone, such as udev, looks at it.
    await whenSeen(async () => expect(await loopDevicesOf(file)).toBe(""));
  });
  const detach = async () => {
    await removeLoop();
    await hideFile();
  };
  return { device, detach };
}

export interface MountedDisk {
  readonly path: string;
  unmount(): Promise<void>;
}

export async function mount(folder: TemporaryFolder, device: string, options = "rw"): Promise<MountedDisk> {
  const path = folder.file(`mount-${randomUUID()}`);
  await mkdir(path);
  await succeed("mount", ["-o", options, device, path]);
  return { path, unmount: atTheLatestAtTheEnd(async () => void (await succeed("umount", [path]))) };
}
