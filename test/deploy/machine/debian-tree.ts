/**
 * A small Debian 12 with systemd, as a folder: the archive is made once, by mmdebstrap from Debian's packages, and unpacked for
 * each machine that is built of it.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { succeed } from "#test/clients/command.ts";
import { projectRoot } from "#test/tidy/project-files.ts";

const cacheFolder = join(projectRoot, "node_modules/.cache/tidemark-guest");
const debianMs = 600_000;

const packages = ["systemd-sysv", "udev", "nbd-client", "e2fsprogs", "openssl", "libatomic1"];
const options = [
  "--variant=minbase",
  `--include=${packages.join(",")}`,
  ...["doc", "man", "locale", "info"].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
  "bookworm",
];

/** Why none can be made here, in words; undefined where one can. */
export async function debianObstacle(): Promise<string | undefined> {
  return process.getuid?.() === 0 ? undefined : "only root can unpack a system with its owners and devices";
}

async function debianArchive(): Promise<string> {
  const version = createHash("sha256").update(options.join("\n")).digest("hex").slice(0, 8);
  const archive = join(cacheFolder, `debian-${version}.tar`);
  if (existsSync(archive)) return archive;
  await mkdir(cacheFolder, { recursive: true });
  const unfinished = join(cacheFolder, `debian-${process.pid}.unfinished.tar`);
  await succeed("mmdebstrap", [...options, unfinished], { timeoutMs: debianMs });
  await rename(unfinished, archive);
  return archive;
}

/** With the identity of a machine, so that it is none that starts for the first time and asks for its settings. */
export async function unpackDebian(folder: string): Promise<void> {
  const archive = await debianArchive();
  await mkdir(folder, { recursive: true });
  await succeed("tar", ["--extract", "--numeric-owner", "--file", archive, "--directory", folder]);
  await writeFile(join(folder, "etc/machine-id"), `${"7".repeat(32)}\n`);
  await writeFile(join(folder, "etc/hosts"), "127.0.0.1 localhost backup.example\n");
}
