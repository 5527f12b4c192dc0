/**
 * From where on a group's history is kept, and what holds it: a small document of the store (docs/formats.md, "The history
 * document"), written before anything goes.
 *
 * Invariants: where a piece is expired, the snapshot `basedOn` is in the store, and has all that the expired ones said;
 * `behind` is the last of them, by which what follows is still known to be the group's.
 */
import { RetryError, StopError } from "#src/core/errors.ts";
import { historyAskedMax, historyPinsMax, historyWithdrawnMax, storeDocumentBytesMax } from "#src/core/store-limits.ts";
import { decodeDocument, encodeDocument } from "#src/host/document.ts";
import { isLackOfSpace } from "#src/host/lack-of-room.ts";
import type { OtherDocument } from "#src/journals/document-scrub.ts";
import { type PieceLink, pieceHashBytes } from "#src/journals/sealed-piece-format.ts";
import type { ObjectName, Objects } from "#src/store/objects.ts";
import { noReserve, type SpaceReserve } from "#src/store/space-reserve.ts";

/** What holds a point. */
export interface HistoryPin {
  /** Told by whoever sets it; setting it again moves it. */
  readonly id: string;
  readonly seq: number;
  /** All from there on, or just the snapshot of this seq. */
  readonly keeps: "history" | "snapshot";
  /** For people. */
  readonly reason: string;
}

export interface HistoryDocument {
  /** The first point that is kept is this snapshot; 0: all are, from the group's first record on. */
  readonly basedOn: number;
  /** The last piece that is expired. */
  readonly behind: PieceLink | undefined;
  /** How late it surely is: see `trusted-time.ts`. */
  readonly trustedMicros: number;
  readonly pins: readonly HistoryPin[];
  /** Snapshots that are kept for those who point into them alone. */
  readonly withdrawn: readonly number[];
  /** Snapshots that somebody has asked for: they are points for as long as they are there. */
  readonly asked: readonly number[];
}

export interface FoundHistory {
  readonly document: HistoryDocument;
  readonly version: string | undefined;
  /**
   * The copy says so alone, and perhaps never got further: a scrub may make the document what it was, which then says less. Nothing
   * goes before it is written over.
   */
  readonly isOfCopy: boolean;
}

const kind = { format: "tidemark-history", version: 1 } as const;
export const wholeHistory: HistoryDocument = {
  basedOn: 0,
  behind: undefined,
  trustedMicros: 0,
  pins: [],
  withdrawn: [],
  asked: [],
};

export function historyDocumentName(group: string): ObjectName {
  return `history/${group}.json`;
}

function historyCopyName(group: string): ObjectName {
  return `history/${group}-copy.json`;
}

/** Of the groups, with their copies. */
export function historyDocumentNames(groups: readonly string[]): ObjectName[] {
  return groups.flatMap((group) => [historyDocumentName(group), historyCopyName(group)]);
}

/** The same for whoever checks them. */
export function historyDocuments(groups: readonly string[]): OtherDocument[] {
  return groups.flatMap((group) => {
    const decode = (bytes: Buffer) => decodeHistory(bytes, group);
    return historyDocumentNames([group]).map((name) => ({ name, decode }));
  });
}

/**
 * All is kept where there is none. Where it is damaged or gone its copy counts. Throws a `StopError` where that is damaged too,
 * a `RefuseError` where another version wrote it.
 */
export async function readHistory(objects: Pick<Objects, "readDocument">, group: string): Promise<FoundHistory> {
  const first = await look(objects, historyDocumentName(group), group);
  // A service may have answered something else than it has.
  const own = first.damage === undefined ? first : await look(objects, historyDocumentName(group), group);
  const copy = own.document === undefined ? await look(objects, historyCopyName(group), group) : undefined;
  const document = own.document ?? copy?.document;
  const damage = own.damage ?? copy?.damage;
  if (document === undefined && damage !== undefined) throw damage;
  const isOfCopy = own.document === undefined && document !== undefined;
  return { document: document ?? wholeHistory, version: own.version, isOfCopy };
}

interface Finding {
  readonly version: string | undefined;
  readonly document?: HistoryDocument;
  readonly damage?: StopError;
}

async function look(objects: Pick<Objects, "readDocument">, name: ObjectName, group: string): Promise<Finding> {
  const found = await objects.readDocument(name);
  if (found === undefined) return { version: undefined };
  try {
    return { version: found.version, document: decodeHistory(found.bytes, group) };
  } catch (error) {
    if (error instanceof StopError) return { version: found.version, damage: error };
    throw error;
  }
}

/**
 * The copy first: it may say of a history that begins later while the document does not, as nothing has gone yet then. Throws a
 * `RetryError` where somebody else has changed it since it was read. It may take its room from the reserve.
 */
export async function changeHistory(
  objects: Pick<Objects, "readDocument" | "changeDocument">,
  group: string,
  document: HistoryDocument,
  version: string | undefined,
  reserve: SpaceReserve = noReserve,
): Promise<void> {
  const bytes = encodeHistory(document, group);
  const copyVersion = (await objects.readDocument(historyCopyName(group)))?.version;
  for (const [name, known] of [
    [historyCopyName(group), copyVersion],
    [historyDocumentName(group), version],
  ] as const) {
    const changed = await changeByReserve(reserve, () => objects.changeDocument(name, bytes, known));
    if (changed === undefined) throw new RetryError(`${name} is being changed by somebody else`);
  }
}

async function changeByReserve(
  reserve: SpaceReserve,
  change: () => Promise<string | undefined>,
): Promise<string | undefined> {
  for (;;) {
    try {
      return await change();
    } catch (error) {
      const isFull = error instanceof RetryError && isLackOfSpace(error.cause);
      if (!isFull || !reserve.give(storeDocumentBytesMax)) throw error;
    }
  }
}

export function encodeHistory({ behind, asked, ...document }: HistoryDocument, group: string): Buffer {
  if (document.pins.length > historyPinsMax) throw new StopError(`more than ${historyPinsMax} pins hold points`);
  if (document.withdrawn.length > historyWithdrawnMax) {
    throw new StopError(`more than ${historyWithdrawnMax} snapshots were removed that others point into`);
  }
  if (asked.length > historyAskedMax) throw new StopError(`more than ${historyAskedMax} snapshots were asked for`);
  const more = asked.length === 0 ? {} : { asked };
  const link = behind === undefined ? null : { ...behind, hash: behind.hash.toString("hex") };
  return encodeDocument(kind, { group, ...document, ...more, behind: link });
}

export function decodeHistory(bytes: Buffer, group: string): HistoryDocument {
  const name = historyDocumentName(group);
  const content = decodeDocument(bytes, name, kind);
  const { basedOn, trustedMicros, pins, withdrawn, asked = [] } = content;
  const behind = linkOf(content.behind);
  const isSound =
    content.group === group &&
    isCount(basedOn) &&
    isCount(trustedMicros) &&
    Array.isArray(pins) &&
    pins.every(isPin) &&
    Array.isArray(withdrawn) &&
    withdrawn.every(isCount) &&
    Array.isArray(asked) &&
    asked.every(isCount) &&
    (behind === undefined || (behind !== "unsound" && behind.lastSeq <= basedOn));
  if (!isSound) throw new StopError(`${name} is damaged: it does not say from where on a history is kept`);
  return { basedOn, behind, trustedMicros, pins, withdrawn, asked };
}

function linkOf(value: unknown): PieceLink | "unsound" | undefined {
  if (value === null) return undefined;
  const { hash, firstSeq, lastSeq, lastEpoch } = (value ?? {}) as Record<string, unknown>;
  const isHash = typeof hash === "string" && hash.length === 2 * pieceHashBytes && /^[0-9a-f]*$/.test(hash);
  if (!isHash || !isCount(firstSeq) || !isCount(lastSeq) || !isCount(lastEpoch)) return "unsound";
  return { hash: Buffer.from(hash, "hex"), firstSeq, lastSeq, lastEpoch };
}

function isPin(value: unknown): value is HistoryPin {
  const { id, seq, keeps, reason } = (value ?? {}) as Record<string, unknown>;
  const isKeeping = keeps === "history" || keeps === "snapshot";
  return typeof id === "string" && typeof reason === "string" && isCount(seq) && isKeeping;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
