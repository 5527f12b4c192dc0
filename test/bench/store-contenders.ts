/**
 * Who keeps states of images: Tidemark's store, and what is used for backups. Each has one repository in a folder, without
 * a network, and is started as its users start it; what it is told besides is in `settings`.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { slotsPerSegment } from "#src/records/address.ts";
import { type CommandOptions, succeed } from "#test/clients/command.ts";
import { carryOut, type OwnAnswer } from "./store-orders.ts";

export const storePeerNames = ["restic", "borg", "casync"] as const;
export const storeContenderNames = ["tidemark", ...storePeerNames] as const;
export type StoreContenderName = (typeof storeContenderNames)[number];

/** Fast: as whoever wants speed sets it. Small: as whoever wants to save room does, at a usual speed. */
export type Aim = "fast" | "small";

export const settingsOf: Readonly<Record<StoreContenderName, Readonly<Record<Aim, string>>>> = {
  tidemark: { fast: "zstd level 1, two threads that help", small: "store.compress: small" },
  restic: { fast: "--compression auto", small: "--compression max" },
  borg: { fast: "no encryption, lz4", small: "no encryption, zstd,6" },
  casync: { fast: "zstd", small: "zstd" },
};

export interface Turn {
  /** From the start of the process to its end. */
  readonly seconds: number;
  /** Without the start of the process: of our own only. */
  readonly workSeconds: number | undefined;
}

/** States of one image, which come one after the other. */
export interface Repository {
  readonly name: StoreContenderName;
  /** `numbersFile`: which blocks of it were written since the state before, for whoever is told of writes. */
  add(image: string, state: number, numbersFile?: string): Promise<Turn>;
  restore(state: number, output: string): Promise<Turn>;
  physicalBytes(): number;
}

const minutes = 60_000;
const patience = { timeoutMs: 30 * minutes };

export async function openRepository(name: StoreContenderName, folder: string, aim: Aim): Promise<Repository> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return await opening[name](folder, aim);
}

const opening: { readonly [Name in StoreContenderName]: (folder: string, aim: Aim) => Promise<Repository> } = {
  tidemark: async (folder, aim) => ownRepository(folder, aim),
  restic: resticRepository,
  borg: borgRepository,
  casync: async (folder) => casyncRepository(folder),
};

export function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

const helpingThreads = 2;

function ownRepository(folder: string, aim: Aim): Repository {
  const effort = aim === "fast" ? "normal" : "small";
  const states: { readonly firstSegment: number; readonly blockCount: number }[] = [];
  let firstSegment = 1;
  return {
    name: "tidemark",
    add: async (image, state, numbersFile) => {
      const about = numbersFile === undefined ? {} : { numbersFile };
      const done = await carryOut({ word: "seal", folder, threadCount: helpingThreads, effort, image, ...about });
      states[state] = { firstSegment, blockCount: done.blockCount };
      firstSegment += Math.ceil(done.blockCount / slotsPerSegment);
      return turnOf(done);
    },
    restore: async (state, output) => {
      const known = states[state];
      if (known === undefined) throw new Error(`there is no state ${state}`);
      const done = await carryOut({ word: "restore", folder, threadCount: helpingThreads, ...known, output });
      return turnOf(done);
    },
    physicalBytes: () => folderBytes(join(folder, "objects")),
  };
}

function turnOf({ seconds, wholeSeconds }: OwnAnswer): Turn {
  return { seconds: wholeSeconds, workSeconds: seconds };
}

async function timed(program: string, programArguments: readonly string[], options: CommandOptions): Promise<Turn> {
  const began = performance.now();
  await succeed(program, programArguments, { ...patience, ...options });
  return { seconds: (performance.now() - began) / 1000, workSeconds: undefined };
}

async function resticRepository(folder: string, aim: Aim): Promise<Repository> {
  const repository = join(folder, "repository");
  const environment = { RESTIC_PASSWORD: "bench", RESTIC_CACHE_DIR: join(folder, "cache"), HOME: folder };
  const base = ["--repo", repository, "--quiet", "--compression", aim === "fast" ? "auto" : "max"];
  await succeed("restic", ["--repo", repository, "init", "--repository-version", "2"], { ...patience, environment });
  return {
    name: "restic",
    add: (image, state) => timed("restic", [...base, "backup", "--tag", `s${state}`, image], { environment }),
    restore: (state, output) => {
      const target = ["restore", "latest", "--tag", `s${state}`, "--target", `${output}.folder`];
      return timed("restic", [...base, ...target], { environment });
    },
    physicalBytes: () => folderBytes(repository),
  };
}

async function borgRepository(folder: string, aim: Aim): Promise<Repository> {
  const repository = join(folder, "repository");
  const environment = {
    BORG_BASE_DIR: folder,
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: "yes",
    BORG_RELOCATED_REPO_ACCESS_IS_OK: "yes",
  };
  const compression = aim === "fast" ? "lz4" : "zstd,6";
  await succeed("borg", ["init", "--encryption", "none", repository], { ...patience, environment });
  return {
    name: "borg",
    add: (image, state) =>
      timed("borg", ["create", "--compression", compression, `${repository}::s${state}`, image], { environment }),
    restore: async (state, output) => {
      mkdirSync(`${output}.folder`, { recursive: true });
      const there = ["-C", `${output}.folder`, "borg", "extract", "--sparse", `${repository}::s${state}`];
      return timed("env", there, { environment });
    },
    physicalBytes: () => folderBytes(repository),
  };
}

function casyncRepository(folder: string): Repository {
  const store = join(folder, "default.castr");
  const indexOf = (state: number) => join(folder, `s${state}.caibx`);
  const base = ["--compression=zstd", `--store=${store}`];
  return {
    name: "casync",
    add: (image, state) => timed("casync", ["make", ...base, indexOf(state), image], {}),
    restore: (state, output) => timed("casync", ["extract", ...base, indexOf(state), output], {}),
    physicalBytes: () => folderBytes(folder),
  };
}
