/** A snapshot that is asked for, until it is made: a moving line on a terminal, nothing in a pipe. */
import type { AwaitedSnapshot, MadeSnapshot } from "#src/control/snapshot-facts.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";
import { snapshotAskSeconds } from "#src/core/store-limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import type { ApiClient } from "./api-client.ts";
import { progressLine } from "./progress-line.ts";

export interface SnapshotOrder {
  readonly volume: string;
  /** Undefined: of the newest record. */
  readonly point: string | undefined;
  readonly patienceSeconds: number;
}

export async function orderSnapshot(api: ApiClient, order: SnapshotOrder): Promise<MadeSnapshot> {
  const { volume, point, patienceSeconds } = order;
  const untilMs = nodeClock.monotonicMs() + patienceSeconds * 1000;
  let first: AwaitedSnapshot | undefined;
  try {
    for (;;) {
      const asked = first === undefined ? { point } : { seq: first.seq };
      const body = { ...asked, waitSeconds: snapshotAskSeconds };
      const answer = await api.ask("POST", ["volumes", volume, "snapshots"], { body });
      const { waits } = answer as { readonly waits?: AwaitedSnapshot };
      if (waits === undefined) return answer as MadeSnapshot;
      first ??= waits;
      if (nodeClock.monotonicMs() >= untilMs) throw new Error(tooLong(volume, waits, patienceSeconds));
      show(first, waits);
    }
  } finally {
    if (process.stderr.isTTY) process.stderr.write(clearLine);
  }
}

const clearLine = "\r\x1b[K";

function show(first: AwaitedSnapshot, now: AwaitedSnapshot): void {
  if (process.stderr.isTTY)
    process.stderr.write(`${clearLine}${sealingLine(first, now, process.stderr.columns ?? 80)}`);
}

/** Of what waited when it was first asked; what has come since need not be sealed for it. */
export function sealingLine(first: AwaitedSnapshot, now: AwaitedSnapshot, widthCharacters: number): string {
  const total = first.seq - first.storedSeq;
  if (now.storedSeq >= now.seq) return `makes snapshot ${now.seq}`.slice(0, widthCharacters - 1);
  const progress = { done: now.storedSeq - first.storedSeq, total, unit: "records", bytes: 0, bytesPerSecond: 0 };
  const what = now.why === undefined ? "seals what it needs" : `waits (${now.why})`;
  return progressLine({ ...progress, what }, widthCharacters);
}

function tooLong(volume: string, { seq, storedSeq, unsealedBytes, why }: AwaitedSnapshot, seconds: number): string {
  const again = `'tidemark snapshot create ${volume}@seq:${seq}' makes it then`;
  if (storedSeq >= seq) return `snapshot ${seq} was not made in ${seconds} s, and is still being made: ${again}`;
  const because = why === undefined ? "" : `: ${why}`;
  const left = `${seq - storedSeq} records (${roundedByteSize(unsealedBytes)} of data) are still to be sealed`;
  return `after ${seconds} s ${left}${because}; that goes on, and ${again}`;
}
