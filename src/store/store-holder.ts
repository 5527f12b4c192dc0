/**
 * Who may write to a store: one remote appliance, known by a number of chance that its data folder has too. So an appliance
 * whose folder was lost and made anew, and one whose old disk comes back later, never write to one store both. What the former
 * one has on its way may come to be there all the same: so whoever takes a store gives segments other numbers.
 */
import { RetryError, StopError } from "#src/core/errors.ts";
import { segmentNumbersSkipped } from "#src/core/store-limits.ts";
import { decodeDocument, encodeDocument } from "#src/host/document.ts";
import { segmentMax } from "#src/records/address.ts";
import type { Objects, VersionedDocument } from "./objects.ts";

const kind = { format: "tidemark-store-holder", version: 1 } as const;
export const storeHolderName = "holder.json";
export const holderBytes = 16;

export interface StoreHolder {
  /** Chance, in hexadecimal digits. */
  readonly holder: string;
  readonly takenMicros: number;
  /** He gives segments numbers behind this one. Undefined: he has taken the store from nobody. */
  readonly segmentsBehind?: number | undefined;
}

export function encodeStoreHolder({ holder, takenMicros, segmentsBehind }: StoreHolder): Buffer {
  const numbers = segmentsBehind === undefined ? {} : { segmentsBehind };
  return encodeDocument(kind, { holder, takenMicros, ...numbers });
}

/** Throws a `StopError` where it is damaged, a `RefuseError` where it has another version. */
export function decodeStoreHolder(bytes: Buffer): StoreHolder {
  const { holder, takenMicros, segmentsBehind } = decodeDocument(bytes, storeHolderName, kind);
  const isHolder = typeof holder === "string" && /^[0-9a-f]{32}$/.test(holder);
  const areNumbered = segmentsBehind === undefined || isSegmentNumber(segmentsBehind);
  if (!isHolder || !Number.isSafeInteger(takenMicros) || !areNumbered) {
    throw new StopError(`${storeHolderName} is damaged: it does not say who writes to the store`);
  }
  return { holder, takenMicros: takenMicros as number, segmentsBehind };
}

function isSegmentNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= segmentMax;
}

/** Undefined: nobody has taken it yet. */
export async function readStoreHolder(objects: Pick<Objects, "readDocument">): Promise<StoreHolder | undefined> {
  return (await findHolder(objects)).holder;
}

/** Whoever writes says who he is, before he writes anything else. Throws a `StopError` where somebody else has the store. */
export async function holdStore(objects: Objects, holder: string, nowMicros: number): Promise<void> {
  const found = await findHolder(objects);
  if (found.holder?.holder === holder) return;
  if (found.holder !== undefined) throw heldByAnother(found.holder);
  await putHolder(objects, { holder, takenMicros: nowMicros }, found.document?.version);
}

/**
 * From whoever had it: he begins to write nothing any more. Answers behind which number segments are to get theirs: behind all
 * that those before may have given, also where nothing has come of it yet. `newestSegment`: that the store is known to have.
 */
export async function takeStore(
  objects: Objects,
  holder: string,
  nowMicros: number,
  newestSegment: number,
): Promise<number> {
  const { document, holder: former } = await findHolder(objects);
  const segmentsBehind = Math.max(former?.segmentsBehind ?? 0, newestSegment) + segmentNumbersSkipped;
  await putHolder(objects, { holder, takenMicros: nowMicros, segmentsBehind }, document?.version);
  return segmentsBehind;
}

export function heldByAnother({ takenMicros }: StoreHolder): StopError {
  const since = new Date(takenMicros / 1000).toISOString();
  const wayOut = "if that one is lost, 'tidemark rebuild --from' makes a new data folder of the store";
  return new StopError(`the store belongs to another remote appliance, since ${since}: ${wayOut}`);
}

async function putHolder(objects: Objects, holder: StoreHolder, version: string | undefined): Promise<void> {
  const changed = await objects.changeDocument(storeHolderName, encodeStoreHolder(holder), version);
  if (changed === undefined) throw new RetryError("the store is being taken by somebody else");
}

interface FoundHolder {
  readonly document: VersionedDocument | undefined;
  readonly holder: StoreHolder | undefined;
}

/** A service may have answered something else than it has. A damaged one says as much as none, and is written anew. */
async function findHolder(objects: Pick<Objects, "readDocument">): Promise<FoundHolder> {
  let document: VersionedDocument | undefined;
  for (let reads = 0; reads < 2; reads++) {
    document = await objects.readDocument(storeHolderName);
    if (document === undefined) break;
    try {
      return { document, holder: decodeStoreHolder(document.bytes) };
    } catch (error) {
      if (!(error instanceof StopError)) throw error;
    }
  }
  return { document, holder: undefined };
}
