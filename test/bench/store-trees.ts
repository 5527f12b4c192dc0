/** Folders of files that change from state to state, and images of a file system with them. */
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { blockBytes } from "#src/core/limits.ts";
import { succeed } from "#test/clients/command.ts";

const listsFolder = "/var/lib/dpkg/info";
const listEnding = ".list";
const imageMs = 10 * 60_000;

export interface PackageFiles {
  readonly name: string;
  readonly bytes: number;
  readonly paths: readonly string[];
}

/** Of this machine, by name, with so many bytes together: what Debian has put on it. */
export function installedPackages(bytesMax: number): PackageFiles[] {
  const packages: PackageFiles[] = [];
  let bytes = 0;
  for (const list of readdirSync(listsFolder)
    .filter((name) => name.endsWith(listEnding))
    .sort()) {
    const paths = readFileSync(join(listsFolder, list), "utf8").split("\n").filter(isPlainFile);
    const size = paths.reduce((sum, path) => sum + lstatSync(path).size, 0);
    if (paths.length === 0 || bytes + size > bytesMax) continue;
    bytes += size;
    packages.push({ name: list.slice(0, -listEnding.length), bytes: size, paths });
  }
  return packages;
}

function isPlainFile(path: string): boolean {
  if (!path.startsWith("/") || !existsSync(path)) return false;
  const about = lstatSync(path);
  return about.isFile() || about.isSymbolicLink();
}

export function addPackage(tree: string, { paths }: PackageFiles): void {
  for (const path of paths) {
    const copy = placeIn(tree, path);
    mkdirSync(dirname(copy), { recursive: true });
    if (lstatSync(copy, { throwIfNoEntry: false }) !== undefined) continue;
    if (lstatSync(path).isSymbolicLink()) symlinkSync(readlinkSync(path), copy);
    else copyFileSync(path, copy);
  }
}

/** Packages name files also by ways that lead through links to folders. */
function placeIn(tree: string, path: string): string {
  return join(tree, realpathSync(dirname(path)), basename(path));
}

export function removePackage(tree: string, { paths }: PackageFiles): void {
  for (const path of paths) rmSync(placeIn(tree, path), { force: true });
}

/** A file system with the tree in it, and some room; always of the same identity, as that of one machine is. */
export async function makeImage(tree: string, image: string): Promise<void> {
  rmSync(image, { force: true });
  const { fileCount, blockCount } = measured(tree);
  const inodes = Math.ceil(fileCount * 1.1 + 1000);
  const blocks = Math.ceil(blockCount * 1.05 + (inodes * inodeBytes) / blockBytes + spareBlocks);
  const numbers = ["-b", String(blockBytes), "-I", String(inodeBytes), "-N", String(inodes)];
  const identity = ["-U", `${identityStart}10`, "-E", `hash_seed=${identityStart}11`];
  const programArguments = ["-q", "-F", ...numbers, ...identity, "-d", tree, image, String(blocks)];
  await succeed("mkfs.ext4", programArguments, { timeoutMs: imageMs });
}

const identityStart = "6f0b9c4e-3a57-4f1d-9a44-1f0c5f8f7a";
const inodeBytes = 256;
/** The file system's own journal, and what nobody has used yet. */
const spareBlocks = 12_000;

/** Links are not followed: they may lead out of it. */
function measured(folder: string): { readonly fileCount: number; readonly blockCount: number } {
  let [fileCount, blockCount] = [1, 1];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const inside = entry.isDirectory() ? measured(path) : { fileCount: 1, blockCount: 0 };
    const own = entry.isFile() ? Math.ceil(lstatSync(path).size / blockBytes) : 0;
    fileCount += inside.fileCount;
    blockCount += inside.blockCount + own;
  }
  return { fileCount, blockCount };
}
