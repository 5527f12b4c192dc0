/** The npm package, made of what is in this checkout and installed below a machine's /usr/local, with the Node that runs the tests. */
import { copyFile, cp, mkdir, readdir, symlink } from "node:fs/promises";
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

/** Of a copy: packing makes a folder in the checkout, which other tests must not find there. */
async function packed(folder: string): Promise<string> {
  const copy = join(folder, "checkout");
  for (const part of parts) await cp(join(projectRoot, part), join(copy, part), { recursive: true });
  await symlink(join(projectRoot, "node_modules"), join(copy, "node_modules"));
  await succeed("bash", ["-c", `cd "${copy}" && npm pack --pack-destination "${folder}"`], { timeoutMs: npmMs });
  const [name] = (await readdir(folder)).filter((entry) => entry.endsWith(".tgz"));
  if (name === undefined) throw new Error("npm pack made no package");
  return join(folder, name);
}

/** `scratch`: a folder of its own, which the caller removes. */
export async function installInto(tree: string, scratch: string): Promise<void> {
  await mkdir(scratch, { recursive: true });
  const tarball = await packed(scratch);
  const local = join(tree, "usr/local");
  const flags = `--global --prefix "${local}" --ignore-scripts --prefer-offline --no-audit --no-fund`;
  await succeed("bash", ["-c", `npm install ${flags} "${tarball}"`], { timeoutMs: npmMs });
  await copyFile(process.execPath, join(local, "bin/node"));
}
