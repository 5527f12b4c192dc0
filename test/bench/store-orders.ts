/** What the process that does our part of the benchmark of the store can be told, and what it answers. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PartEffort } from "#src/core/store-limits.ts";
import { succeed } from "#test/clients/command.ts";
import type { Progress } from "./progress.ts";

export interface SealOrder {
  readonly word: "seal";
  readonly folder: string;
  readonly threadCount: number;
  readonly effort: PartEffort;
  readonly image: string;
  /** Numbers of the blocks that were written, 32 bits each; undefined: all of the image. */
  readonly numbersFile?: string;
}

export interface RestoreOrder {
  readonly word: "restore";
  readonly folder: string;
  readonly threadCount: number;
  readonly firstSegment: number;
  readonly blockCount: number;
  readonly output: string;
}

export interface RandomOrder {
  readonly word: "random";
  readonly folder: string;
  readonly readCount: number;
}

/** So many fingerprints of no blocks go into the index, which is empty. */
export interface FillIndexOrder {
  readonly word: "fill-index";
  readonly folder: string;
  readonly fingerprintCount: number;
}

/** Seals so much that nobody has seen before, and then has the index write down what it gathered. */
export interface SealNewOrder {
  readonly word: "seal-new";
  readonly folder: string;
  readonly threadCount: number;
  readonly firstSegment: number;
  readonly segmentCount: number;
}

/** Fills a store with so many segments, and collects half of it. */
export interface CollectOrder {
  readonly word: "collect";
  readonly folder: string;
  readonly threadCount: number;
  readonly segmentCount: number;
}

export type ChildOrder = SealOrder | RestoreOrder | RandomOrder | FillIndexOrder | SealNewOrder | CollectOrder;

export interface WorkAnswer {
  /** Undefined: as long as all of it took. */
  readonly seconds?: number;
  /** Blocks that were worked on, and those that are kept now. */
  readonly blockCount: number;
  readonly keptCount: number;
  /** What else there is to tell. */
  readonly figures?: Readonly<Record<string, number>>;
}

export interface ChildAnswer extends WorkAnswer {
  /** Of the work itself, without the start of the process. */
  readonly seconds: number;
  /** Of all threads, for the same. */
  readonly cpuSeconds: number;
  readonly memoryPeakBytes: number;
}

const child = join(import.meta.dirname, "store-child.ts");

/** At most so long, on a busy machine: the longest, with ten times as much as usual. */
const orderMs = 2 * 60 * 60_000;

export interface OwnAnswer extends ChildAnswer {
  /** From the start of the process to its end. */
  readonly wholeSeconds: number;
}

/** What the process answers, and how long all of it took, with its start. `progress`: told how far it is. */
export async function carryOut(order: ChildOrder, progress?: Progress): Promise<OwnAnswer> {
  const began = performance.now();
  const { stdout } = await succeed(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", child, JSON.stringify(order)],
    {
      timeoutMs: orderMs,
      ...(progress === undefined ? {} : { heard: (text) => progress.show(text.trimEnd().split("\n").at(-1) ?? "") }),
      // As the product's own launcher does.
      environment: { NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache") },
    },
  );
  return { ...(JSON.parse(stdout) as ChildAnswer), wholeSeconds: (performance.now() - began) / 1000 };
}
