/**
 * Data whose reduction is measured, made here: states of an image, which come one after the other at the same place. Each
 * is in blocks of 4 KiB, as a volume's host writes them.
 */
import { randomFillSync } from "node:crypto";
import { closeSync, copyFileSync, fstatSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { blockBytes } from "#src/core/limits.ts";
import { succeed } from "#test/clients/command.ts";
import { runPostgresProgram } from "#test/clients/postgres-program.ts";
import type { Scratch } from "./scratch.ts";
import { addPackage, installedPackages, makeImage, removePackage } from "./store-trees.ts";

const MiB = 1024 ** 2;

export interface ImageState {
  readonly image: string;
  /** For whoever is told of writes: which blocks were written since the state before. */
  readonly numbersFile?: string;
}

export interface DataSet {
  readonly title: string;
  readonly about: string;
  /** To the best of the others, for what it takes in the end. */
  readonly goal: number;
  /** Judged is what comes on top of the first state. */
  readonly isOfChanges: boolean;
  /** What is known of why, where the goal is missed. */
  readonly why?: string;
  states(scratch: Scratch): AsyncGenerator<ImageState, void>;
}

/** `size`: about how much data there is of each, in MiB. */
export function dataSets(size: number): DataSet[] {
  return [debianSet(size), postgresSet(size), clonesSet(size), overwritesSet(size)];
}

function debianSet(size: number): DataSet {
  return {
    title: "Debian, three states",
    about: [
      `a file system with the files of this machine's Debian packages, ${size} MiB,`,
      "of which a tenth goes and another tenth comes from state to state",
    ].join(" "),
    goal: 1.1,
    isOfChanges: false,
    states: async function* (scratch) {
      const image = scratch.file("image");
      const tree = scratch.file("tree");
      const packages = installedPackages(1.2 * size * MiB);
      const tenth = Math.floor(packages.length / 12);
      for (const one of packages.slice(0, 10 * tenth)) addPackage(tree, one);
      for (let state = 0; state < 3; state++) {
        if (state > 0) {
          for (const one of packages.slice((state - 1) * tenth, state * tenth)) removePackage(tree, one);
          for (const one of packages.slice((9 + state) * tenth, (10 + state) * tenth)) addPackage(tree, one);
        }
        await makeImage(tree, image);
        yield { image };
      }
    },
  };
}

const rowsPerScale = 100_000;
const pgbenchMs = 10 * 60_000;

function postgresSet(size: number): DataSet {
  const scale = Math.ceil(size / 16);
  const transactions = scale * 400;
  return {
    title: "PostgreSQL, three states",
    about: [
      `the file system of a cluster after pgbench had filled it with ${scale * rowsPerScale} rows,`,
      `and after each of two times ${transactions} of its transactions`,
    ].join(" "),
    goal: 1.1,
    isOfChanges: false,
    why: [
      "rows that pgbench makes are much alike, and the farther a compressor looks back the more it finds of that: by zstd level 1",
      "a cluster of 137 MiB takes 11.9 MiB in frames of 16 KiB and 10.3 in frames of 64. Others compress a MiB and more at a",
      "time; then a read of one block unpacks all of it. Of so little the 32 bytes of each block's fingerprint are a tenth.",
    ].join(" "),
    states: async function* (scratch) {
      const image = scratch.file("image");
      const data = scratch.file("cluster");
      const cluster = new Cluster(data, scratch.path);
      await cluster.make();
      for (const load of [
        ["-i", "-q", "-s", String(scale)],
        ["-c", "4", "-t", String(transactions / 4)],
        ["-c", "4", "-t", String(transactions / 4)],
      ]) {
        await cluster.run(load);
        await makeImage(data, image);
        yield { image };
      }
    },
  };
}

/** A cluster of its own, at a socket in its folder, stopped whenever nobody looks. */
class Cluster {
  readonly #data: string;
  readonly #sockets: string;

  constructor(data: string, sockets: string) {
    this.#data = data;
    this.#sockets = sockets;
  }

  async make(): Promise<void> {
    mkdirSync(this.#data, { recursive: true });
    if (process.getuid?.() === 0) await succeed("chown", ["postgres", this.#data, this.#sockets]);
    await this.#call("initdb", ["-D", this.#data, "-A", "trust", "-U", "postgres", "--no-sync"]);
  }

  async run(load: readonly string[]): Promise<void> {
    const server = `-k ${this.#sockets} -c listen_addresses= -c fsync=off`;
    await this.#call("pg_ctl", ["-D", this.#data, "-w", "-l", join(this.#sockets, "log"), "-o", server, "start"]);
    try {
      await this.#call("pgbench", ["-h", this.#sockets, "-U", "postgres", ...load, "postgres"]);
    } finally {
      await this.#call("pg_ctl", ["-D", this.#data, "-w", "-m", "fast", "stop"]);
    }
  }

  async #call(program: string, programArguments: readonly string[]): Promise<void> {
    await runPostgresProgram(program, programArguments, pgbenchMs);
  }
}

const cloneCount = 4;
/** Of a clone, in pieces of `clonePieceBytes`. */
const cloneChangedShare = 0.01;
const clonePieceBytes = 64 * 1024;

function clonesSet(size: number): DataSet {
  return {
    title: `A machine and ${cloneCount} clones`,
    about: [
      `an image with Debian's packages, ${size / 2} MiB, and copies of it,`,
      "in each of which a hundredth was overwritten in pieces of 64 KiB",
    ].join(" "),
    goal: 1.1,
    isOfChanges: false,
    states: async function* (scratch) {
      const [image, base, tree] = [scratch.file("image"), scratch.file("base"), scratch.file("tree")];
      for (const one of installedPackages((size / 2) * MiB)) addPackage(tree, one);
      await makeImage(tree, base);
      copyFileSync(base, image);
      yield { image };
      for (let clone = 0; clone < cloneCount; clone++) {
        copyFileSync(base, image);
        overwrite(image, cloneChangedShare, clonePieceBytes);
        yield { image };
      }
    },
  };
}

const overwrittenStates = 8;
const overwrittenShare = 0.01;

function overwritesSet(size: number): DataSet {
  return {
    title: `Small overwrites, ${overwrittenStates} times`,
    about: [
      `an image with Debian's packages, ${size / 2} MiB, of which again and again a hundredth is overwritten,`,
      "4 KiB at a random place at a time; others see each state, Tidemark sees the writes",
    ].join(" "),
    goal: 0.5,
    isOfChanges: true,
    states: async function* (scratch) {
      const [image, tree, numbersFile] = [scratch.file("image"), scratch.file("tree"), scratch.file("numbers")];
      for (const one of installedPackages((size / 2) * MiB)) addPackage(tree, one);
      await makeImage(tree, image);
      yield { image };
      for (let state = 0; state < overwrittenStates; state++) {
        const numbers = overwrite(image, overwrittenShare, blockBytes);
        writeFileSync(numbersFile, new Uint8Array(Uint32Array.from(numbers).buffer));
        yield { image, numbersFile };
      }
    },
  };
}

/** Overwrites so much of it, half of it noise, and answers where: in pieces. */
function overwrite(image: string, share: number, pieceBytes: number): number[] {
  const descriptor = openSync(image, "r+");
  const pieceCount = Math.floor(fstatSync(descriptor).size / pieceBytes);
  const piece = Buffer.alloc(pieceBytes, "what a program writes ");
  const numbers: number[] = [];
  for (let count = 0; count < pieceCount * share; count++) {
    const number = Math.floor(Math.random() * pieceCount);
    for (let at = 0; at < pieceBytes; at += 512) randomFillSync(piece, at, 256);
    writeSync(descriptor, piece, 0, pieceBytes, number * pieceBytes);
    numbers.push(number);
  }
  closeSync(descriptor);
  return numbers;
}
