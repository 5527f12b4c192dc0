/**
 * The guest's whole file system: busybox, the kernel's modules, a few programs with their libraries, and the scripts. The parts of
 * it are also for other guests' first file systems.
 */
import { chmod, copyFile, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { run, succeed } from "../command.ts";
import { fetchKernel, type Kernel, modulesInOrder } from "./kernel.ts";

const programs = ["busybox", "nbd-client", "mke2fs", "blkdiscard"];
/** ext4 finds its checksums by name, so they are no dependency that its module would state. */
const modules = ["virtio_pci", "virtio_net", "crc32c_generic", "ext4", "nbd"];

export interface Guest {
  readonly kernelFile: string;
  readonly initramfsFile: string;
}

async function pathOf(program: string): Promise<string> {
  const { stdout } = await succeed("sh", ["-c", `command -v ${program}`]);
  return stdout.trim();
}

/** None for a program that is linked statically. */
async function librariesOf(programFile: string): Promise<readonly string[]> {
  const { stdout } = await run("ldd", [programFile]);
  return [...stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(/gm)].flatMap((match) => match[1] ?? []);
}

async function copyTo(root: string, path: string, source: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await copyFile(source, join(root, path));
}

export async function addPrograms(root: string, wanted: readonly string[]): Promise<void> {
  for (const program of wanted) {
    const file = await pathOf(program);
    await copyTo(root, `${program === "busybox" ? "bin" : "programs"}/${program}`, file);
    for (const library of await librariesOf(file)) await copyTo(root, library, library);
  }
  await symlink("busybox", join(root, "bin/sh"));
}

export async function addModules(root: string, kernel: Kernel, wanted: readonly string[]): Promise<void> {
  const names: string[] = [];
  for (const file of await modulesInOrder(kernel, wanted)) {
    await copyTo(root, `modules/${basename(file)}`, file);
    names.push(basename(file));
  }
  await writeFile(join(root, "modules/order"), `${names.join("\n")}\n`);
}

async function addScripts(root: string): Promise<void> {
  const folder = join(import.meta.dirname, "scripts");
  for (const script of await readdir(folder)) await copyTo(root, `scripts/${script}`, join(folder, script));
  await copyTo(root, "init", join(folder, "init.sh"));
  await chmod(join(root, "init"), 0o755);
}

export async function buildGuest(folder: string): Promise<Guest> {
  const kernel = await fetchKernel();
  const root = join(folder, "root");
  for (const mountPoint of ["proc", "sys", "dev", "mnt", "etc"])
    await mkdir(join(root, mountPoint), { recursive: true });
  await addPrograms(root, programs);
  await addModules(root, kernel, modules);
  await addScripts(root);
  const initramfsFile = join(folder, "initramfs");
  await packInitramfs(root, initramfsFile);
  return { kernelFile: kernel.imageFile, initramfsFile };
}

export async function packInitramfs(root: string, file: string): Promise<void> {
  const list = (await readdir(root, { recursive: true })).sort().join("\n");
  await succeed("cpio", ["--create", "--format=newc", "--quiet", "--owner=0:0", "-D", root, "-F", file], {
    input: `${list}\n`,
  });
}
