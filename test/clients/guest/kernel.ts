/** Debian's kernel for the guest: fetched once as a package, never installed, only the few parts unpacked that are needed. */
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { run, succeed } from "../command.ts";

const cacheFolder = join(import.meta.dirname, "../../../node_modules/.cache/tidemark-guest");
const downloadMs = 300_000;

/** The kernel, and the folders in which its client, what it is reached through, and their dependencies lie. */
const wantedParts = [
  "./boot/vmlinuz-*",
  ...["drivers/block", "drivers/virtio", "net/core", "fs", "fs/ext4", "fs/jbd2", "lib", "crypto"].map(moduleFiles),
  "./lib/modules/*/kernel/drivers/net/virtio_net.ko*",
  "./lib/modules/*/kernel/drivers/net/net_failover.ko*",
  "./lib/modules/*/kernel/arch/x86/crypto/crc32*",
];

function moduleFiles(folder: string): string {
  return `./lib/modules/*/kernel/${folder}/*.ko*`;
}

export interface Kernel {
  readonly imageFile: string;
  readonly modulesFolder: string;
}

/** Why there can be no guest here, in words; undefined where there can. */
export async function guestObstacle(): Promise<string | undefined> {
  if (process.arch !== "x64") return `the guest is an x86_64 machine, this one is ${process.arch}`;
  const answer = await run("sh", ["-c", "command -v apt-get apt-cache dpkg-deb tar"]);
  return answer.exitCode === 0 ? undefined : "the guest's kernel is a Debian package, which this system cannot fetch";
}

/** The package that the name for "the newest kernel" stands for today. */
async function newestPackage(): Promise<string> {
  const { stdout } = await succeed("apt-cache", ["depends", "linux-image-amd64"]);
  const name = /Depends: (linux-image-\S+-amd64)$/m.exec(stdout)?.[1];
  if (name === undefined) throw new Error(`apt-cache names no kernel:\n${stdout}`);
  return name;
}

async function unpack(packageName: string, folder: string): Promise<void> {
  const script = 'cd "$1" && apt-get download -qq "$2" && dpkg-deb --fsys-tarfile *.deb > all.tar && rm *.deb';
  await succeed("sh", ["-c", script, "sh", folder, packageName], { timeoutMs: downloadMs });
  const parts = ["--wildcards", "--no-wildcards-match-slash", ...wantedParts];
  // Not each pattern has a match in each version of the kernel; a missing module is named when it is asked for.
  const { stderr } = await run("tar", ["-xf", join(folder, "all.tar"), "-C", folder, ...parts]);
  await rm(join(folder, "all.tar"));
  if (/Cannot|No space/.test(stderr)) throw new Error(stderr);
}

async function onlyEntry(folder: string): Promise<string> {
  const [entry, ...others] = await readdir(folder);
  if (entry === undefined || others.length > 0) throw new Error(`there should be one entry in ${folder}`);
  return join(folder, entry);
}

export async function fetchKernel(): Promise<Kernel> {
  const packageName = await newestPackage();
  const folder = join(cacheFolder, packageName);
  await mkdir(cacheFolder, { recursive: true });
  if (!(await readdir(cacheFolder)).includes(packageName)) {
    const unfinished = `${folder}.${process.pid}`;
    await mkdir(unfinished);
    await unpack(packageName, unfinished);
    await rename(unfinished, folder).catch(async (error: NodeJS.ErrnoException) => {
      // Another file of tests has fetched the same meanwhile.
      if (error.code !== "ENOTEMPTY") throw error;
      await rm(unfinished, { recursive: true });
    });
  }
  return {
    imageFile: await onlyEntry(join(folder, "boot")),
    modulesFolder: await onlyEntry(join(folder, "lib/modules")),
  };
}

/** The files of the modules and of all that they depend on, in the order in which they have to be loaded. */
export async function modulesInOrder(kernel: Kernel, names: readonly string[]): Promise<readonly string[]> {
  const entries = await readdir(kernel.modulesFolder, { recursive: true });
  const files = new Map(entries.filter((entry) => entry.includes(".ko")).map((entry) => [moduleName(entry), entry]));
  const ordered = new Set<string>();
  const visit = async (name: string): Promise<void> => {
    const entry = files.get(name);
    if (entry === undefined) throw new Error(`the kernel package has no module ${name}`);
    const file = join(kernel.modulesFolder, entry);
    for (const dependency of await dependenciesOf(file)) await visit(dependency);
    ordered.add(file);
  };
  for (const name of names) await visit(name);
  return [...ordered];
}

/** File names have hyphens where the kernel says underscores. */
function moduleName(file: string): string {
  return basename(file)
    .replace(/\.ko.*$/, "")
    .replaceAll("-", "_");
}

/** A module says what it depends on in a string of its own. */
async function dependenciesOf(file: string): Promise<readonly string[]> {
  const text = (await readFile(file)).toString("latin1");
  const list = /\0depends=([^\0]*)\0/.exec(text)?.[1] ?? "";
  return list.split(",").filter((name) => name !== "");
}
