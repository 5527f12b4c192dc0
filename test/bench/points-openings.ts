/** Points that are opened by a process of their own, and what comes of it. */
import { join } from "node:path";
import { succeed } from "#test/clients/command.ts";

export interface OpeningOrder {
  readonly isSealed: boolean;
  /** With the objects, or the journal. */
  readonly folder: string;
  readonly lastSeq: number;
  readonly pointCount: number;
  readonly volumeBlocks: number;
}

export interface TimedLook {
  readonly seconds: number;
  readonly processorSeconds: number;
}

export interface OpeningAnswer {
  /** With all that is read before any point can be opened. */
  readonly first: TimedLook;
  readonly others: readonly TimedLook[];
  readonly grownMebibytes: number;
}

const child = join(import.meta.dirname, "points-opening-child.ts");
const openingMs = 60 * 60_000;

export async function openPoints(order: OpeningOrder): Promise<OpeningAnswer> {
  const args = ["--disable-warning=ExperimentalWarning", child, JSON.stringify(order)];
  const { stdout } = await succeed(process.execPath, args, { timeoutMs: openingMs });
  return JSON.parse(stdout) as OpeningAnswer;
}

/** `first` is not among them. */
export function spreadOf({ others }: OpeningAnswer) {
  const seconds = others.map((one) => one.seconds).sort((a, b) => a - b);
  const at = (share: number): number => rounded(seconds[Math.floor(share * (seconds.length - 1))] as number);
  return { medianSeconds: at(0.5), p99Seconds: at(0.99), highestSeconds: at(1) };
}

export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
