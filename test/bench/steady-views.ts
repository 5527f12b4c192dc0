/** Somebody who opens a view now and then, reads here and there in it, and closes it. */
import { setTimeout as wait } from "node:timers/promises";
import type { PointsReport } from "#src/control/volume-history.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { ask } from "./tidemark-api.ts";
import { openPoint } from "./view-opening.ts";

const readBytes = 64 * 1024;
const readCount = 256;

export interface ViewsFigures {
  readonly count: number;
  /** From the order until the first bytes were read. */
  readonly openedMs: readonly number[];
}

export interface ViewsParts {
  /** Of the remote appliance. */
  readonly api: string;
  readonly volume: string;
  readonly sizeBytes: number;
  readonly everySeconds: number;
  /** Ends it, between two views. */
  readonly over: AbortSignal;
}

export async function lookAtPoints({ api, volume, sizeBytes, everySeconds, over }: ViewsParts): Promise<ViewsFigures> {
  const random = new SeededRandom(8);
  const places = Math.floor(sizeBytes / readBytes);
  const buffer = Buffer.alloc(readBytes);
  const openedMs: number[] = [];
  for (;;) {
    await wait(everySeconds * 1000, undefined, { signal: over }).catch(() => {});
    if (over.aborted) return { count: openedMs.length, openedMs };
    const point = `seq:${await drawnPoint(api, volume, random)}`;
    await using opened = await openPoint(api, { volume, point, nearest: true });
    openedMs.push(Number(opened.tookMs.toFixed(1)));
    for (let count = 0; count < readCount; count++) {
      await opened.client.readInto(random.integerBelow(places) * readBytes, buffer);
    }
  }
}

/** Of the newer half of what there is: nothing of that goes while it is looked at. */
async function drawnPoint(api: string, volume: string, random: SeededRandom): Promise<number> {
  const { ranges } = await ask<PointsReport>(`${api}/volumes/${volume}/points`);
  const last = ranges.findLast(({ kind }) => kind === "points");
  if (last === undefined) throw new Error(`volume ${volume} has no points`);
  return random.between(Math.ceil((last.firstSeq + last.lastSeq) / 2), last.lastSeq);
}
