/** The npm package, made of what is in this checkout and installed below a machine's /usr/local, with the Node that runs the tests. */
import { copyFile, cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { succeed } from "#test/clients/command.ts";
import { projectRoot } from "#test/tidy/project-files.ts";

const npmMs = 300_000;
const parts = [
  "src",
  "deploy",
  "docs",
  "package.json",
  "package-lock.json",
  ".npmrc",
  "tsconfig.json",
  "README.md",
  "LICENSE",
];

export interface Installation {
  /** What it calls itself; without it as the checkout does. */
  readonly version?: string;
  /** Below the machine's root. */
  readonly prefix: string;
}

/** Of a copy: packing makes a folder in the checkout, which other tests must not find there. */
async function packed(folder: string, version: string | undefined): Promise<string> {
  const copy = join(folder, "checkout");
  for (const part of parts) await cp(join(projectRoot, part), join(copy, part), { recursive: true });
  await symlink(join(projectRoot, "node_modules"), join(copy, "node_modules"));
  if (version !== undefined) await callItself(join(copy, "package.json"), version);
  await succeed("bash", ["-c", `cd "${copy}" && npm pack --pack-destination "${folder}"`], { timeoutMs: npmMs });
  const [name] = (await readdir(folder)).filter((entry) => entry.endsWith(".tgz"));
  if (name === undefined) throw new Error("npm pack made no package");
  return join(folder, name);
}

async function callItself(file: string, version: string): Promise<void> {
  const own = JSON.parse(await readFile(file, "utf8")) as object;
  await writeFile(file, JSON.stringify({ ...own, version }));
}

/** `scratch`: a folder of its own, which the caller removes. */
export async function installInto(tree: string, scratch: string): Promise<void> {
  await installVersion(tree, scratch, { prefix: "usr/local" });
  await copyFile(process.execPath, join(tree, "usr/local/bin/node"));
}

export async function installVersion(tree: string, scratch: string, { version, prefix }: Installation): Promise<void> {
  // npm, started by npx, has the checkout's settings, and with them wants the place to be there.
  for (const path of [scratch, join(tree, prefix, "lib")]) await mkdir(path, { recursive: true });
  const tarball = await packed(scratch, version);
  const flags = `--global --prefix "${join(tree, prefix)}" --ignore-scripts --prefer-offline --no-audit --no-fund`;
  await succeed("bash", ["-c", `npm install ${flags} "${tarball}"`], { timeoutMs: npmMs });
}
