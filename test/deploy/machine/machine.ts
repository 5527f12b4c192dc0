/**
 * A whole machine of its own: Debian's kernel, systemd as its first process, disks. It is played by QEMU, so nothing of the machine
 * that runs the tests shows through. A script runs in it once all of its services are up, and tells its steps over a serial line.
 */
import { chmod, copyFile, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { succeed } from "#test/clients/command.ts";
import { addModules, addPrograms, packInitramfs } from "#test/clients/guest/initramfs.ts";
import { fetchKernel } from "#test/clients/guest/kernel.ts";
import type { GuestReport } from "#test/clients/guest/machine.ts";

/** For the whole life of a machine whose processor is played, beside others that want this one. */
export const machineMs = 1_100_000;

const diskMiB = 2048;
/** What the first file system needs to find the disk, and what there is nobody to load later: the kernel's package is not installed. */
const modules = ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "nbd"];
const scripts = join(import.meta.dirname, "scripts");

/** Runs the script that the kernel's command line names. */
const scriptService = `[Unit]
Description=The script of the test
After=multi-user.target

[Service]
ExecStart=/bin/sh /guest/run.sh
StandardOutput=file:/dev/ttyS1
StandardError=file:/dev/ttyS1

[Install]
WantedBy=multi-user.target
`;

/** `files`: more for the scripts, by their names in /guest. */
export async function addScripts(tree: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(tree, "guest"));
  for (const name of await readdir(scripts)) await copyFile(join(scripts, name), join(tree, "guest", name));
  for (const [name, text] of Object.entries(files)) await writeFile(join(tree, "guest", name), text);
  const units = join(tree, "etc/systemd/system");
  await writeFile(join(units, "script.service"), scriptService);
  await mkdir(join(units, "multi-user.target.wants"), { recursive: true });
  await symlink("../script.service", join(units, "multi-user.target.wants/script.service"));
}

export async function makeDisk(tree: string, disk: string, sizeMiB = diskMiB): Promise<void> {
  await succeed("mkfs.ext4", ["-q", "-d", tree, disk, `${sizeMiB}M`]);
}

export class Machine {
  readonly #folder: string;
  readonly #disks: readonly string[];
  readonly #kernelFile: string;
  readonly #initramfsFile: string;

  private constructor(folder: string, disks: readonly string[], kernelFile: string, initramfsFile: string) {
    this.#folder = folder;
    this.#disks = disks;
    this.#kernelFile = kernelFile;
    this.#initramfsFile = initramfsFile;
  }

  /** The first disk has the system; the others are /dev/vdb and so on. */
  static async of(folder: string, disks: readonly string[]): Promise<Machine> {
    const kernel = await fetchKernel();
    const root = join(folder, "first");
    for (const mountPoint of ["proc", "sys", "dev", "system"]) await mkdir(join(root, mountPoint), { recursive: true });
    await addPrograms(root, ["busybox"]);
    await addModules(root, kernel, modules);
    await copyFile(join(scripts, "first.sh"), join(root, "init"));
    await chmod(join(root, "init"), 0o755);
    const initramfsFile = join(folder, "initramfs");
    await packInitramfs(root, initramfsFile);
    return new Machine(folder, disks, kernel.imageFile, initramfsFile);
  }

  /** From its start until it has switched itself off. */
  async run(script: string): Promise<GuestReport> {
    const [consoleFile, reportFile] = ["console", "report"].map((name) => join(this.#folder, `${script}.${name}`)) as [
      string,
      string,
    ];
    const disks = this.#disks.flatMap((file) => ["-drive", `file=${file},format=raw,if=virtio,discard=unmap`]);
    const complaint = await complaintOf("qemu-system-x86_64", [
      ...["-accel", "tcg", "-cpu", "max", "-m", "1536", "-smp", "2", "-nodefaults", "-display", "none", "-no-reboot"],
      ...["-serial", `file:${consoleFile}`, "-serial", `file:${reportFile}`, "-monitor", "none"],
      ...disks,
      ...["-kernel", this.#kernelFile, "-initrd", this.#initramfsFile],
      ...["-append", `console=ttyS0 quiet panic=-1 systemd.show_status=false guest=${script}`],
    ]);
    const [said, steps] = [
      await readFile(consoleFile, "utf8"),
      (await readFile(reportFile, "utf8")).replaceAll("\r", ""),
    ];
    return {
      steps: [...steps.matchAll(/^GUEST: (.*)$/gm)].flatMap((match) => match[1] ?? []),
      console: `${said}\n${steps}\n${complaint}`,
    };
  }
}

async function complaintOf(program: string, programArguments: readonly string[]): Promise<string> {
  try {
    return (await succeed(program, programArguments, { timeoutMs: machineMs })).stderr;
  } catch (error) {
    return String(error);
  }
}
