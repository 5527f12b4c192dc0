/** A folder tree with files of many sizes, and one hash over all names and contents in it. */
import { createHash } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileHash, noise } from "./image.ts";

const fileCountPerFolder = 20;

export async function writeTree(path: string, seed: number): Promise<void> {
  for (const name of ["a", "a/b", "c"]) {
    await mkdir(join(path, name), { recursive: true });
    for (let index = 0; index < fileCountPerFolder; index++) {
      // From an empty file to some hundred KiB, on no boundary of anything.
      await writeFile(join(path, name, `file-${index}`), noise(index ** 4 + index, seed + index));
    }
  }
}

export async function treeHash(path: string): Promise<string> {
  const hash = createHash("sha256");
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort()) hash.update(`${relative(path, file)} ${await fileHash(file)}\n`);
  return hash.digest("hex");
}
