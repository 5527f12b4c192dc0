/**
 * The folder of a remote appliance, made anew of a store's objects alone. What it has of each group afterwards is what the store
 * has; what its journals had beyond that, whoever sent it sends again, or copies his sources.
 *
 * Invariant: no segment that the store has, or that somebody may still be sealing into it, gets its number again.
 */
import { join } from "node:path";
import { StopError } from "#src/core/errors.ts";
import type { Machine } from "#src/host/machine.ts";
import { whenDone } from "#src/host/when-done.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { newestPiece } from "#src/journals/newest-piece.ts";
import { foundPieces } from "#src/journals/pieces-in-force.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { chainFinding } from "#src/journals/sealed-piece-chain.ts";
import { type PieceLink, type SealedPieceIdentity, sealedPieceName } from "#src/journals/sealed-piece-format.ts";
import { StoredGroup, type VolumesAt } from "#src/journals/stored-group.ts";
import type { Objects, ReadableObjects } from "#src/store/objects.ts";
import { segmentOfObject } from "#src/store/segment-format.ts";
import { readHistory } from "#src/synth/history-document.ts";
import { seqsOfSnapshots } from "#src/synth/history-names.ts";
import { Snapshot } from "#src/synth/snapshot.ts";
import { RemoteGroupStateFile } from "./remote-group-state.ts";
import { SegmentCatalogue } from "./segment-catalogue.ts";

export interface RebuildPlace {
  readonly machine: Machine;
  /** Of the remote appliance. */
  readonly folder: string;
  readonly objects: ReadableObjects;
  /** Of the store. Undefined: it is not encrypted. */
  readonly key: Buffer | undefined;
  /** Undefined: nobody wants to know. */
  readonly progress?: (words: RebuildProgress) => void;
}

export interface RebuildProgress {
  readonly group: string;
  readonly pieceCount: number;
  /** Looked at. */
  readonly pieceNumber: number;
}

/** What the store has of a group. */
export interface RebuiltGroup {
  readonly id: string;
  readonly name: string;
  /** The records from here on are kept. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly epoch: number;
  /** Of the last record. */
  readonly timeMicros: number;
  readonly pieceCount: number;
  readonly volumes: readonly { readonly name: string; readonly sizeBytes: number }[];
}

/** Where the pieces of a group do not go on: what is behind it cannot be used. */
export class BrokenHistoryError extends StopError {
  override name = "BrokenHistoryError";
  /** Names of pieces behind the last one that counts, the newest first. */
  readonly behind: readonly string[];
  /** Without those behind there is still all that the history begins with, and a piece for others to follow. */
  readonly canBeCut: boolean;
  /** The last record before the gap. */
  readonly lastSeq: number;

  constructor(why: string, behind: readonly string[], lastSeq: number, canBeCut: boolean) {
    super(why);
    this.behind = behind;
    this.lastSeq = lastSeq;
    this.canBeCut = canBeCut;
  }
}

/** Each is followed by the next, with nothing missing between. Throws a `BrokenHistoryError` where one does not. */
async function checkHistory({ objects, key, progress }: RebuildPlace, group: string): Promise<readonly PieceLink[]> {
  const { behind, basedOn } = (await readHistory(objects, group)).document;
  const found = await foundPieces(objects, group);
  // Those that are expired go whenever somebody finds the time.
  const pieces = found.inForce.filter(({ firstSeq }) => firstSeq > (behind?.firstSeq ?? 0));
  const links: PieceLink[] = [];
  for (const [index, piece] of pieces.entries()) {
    progress?.({ group, pieceCount: pieces.length, pieceNumber: index + 1 });
    const finding = await linkOrFinding({ objects, key }, piece, links.at(-1) ?? behind);
    if (typeof finding !== "string") {
      links.push(finding);
      continue;
    }
    const lastSeq = links.at(-1)?.lastSeq ?? 0;
    const canBeCut = lastSeq > 0 && lastSeq >= basedOn;
    const lack = canBeCut ? "" : "; what is before it is no history to go on with, so it cannot be cut there";
    // Where a folded piece goes those that it took the place of are not to count again.
    const replaced = found.replaced.filter(({ firstSeq }) => firstSeq >= piece.firstSeq);
    const behindIt = [...pieces.slice(index).reverse(), ...replaced.reverse()].map(sealedPieceName);
    throw new BrokenHistoryError(`${sealedPieceName(piece)}: ${finding}${lack}`, behindIt, lastSeq, canBeCut);
  }
  return links;
}

async function linkOrFinding(
  { objects, key }: Pick<RebuildPlace, "objects" | "key">,
  identity: SealedPieceIdentity,
  before: PieceLink | undefined,
): Promise<PieceLink | string> {
  try {
    const piece = await SealedPiece.open(objects, identity, key);
    const finding = chainFinding(before, piece);
    return finding ?? piece.link;
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    return error.message;
  }
}

/** No piece names the hash of the newest one. What else the store says of the group tells whether there were later ones. */
async function checkEnd({ objects }: RebuildPlace, group: string, stored: StoredGroup, lastSeq: number): Promise<void> {
  const toldSeq = Math.max(stored.toldSeq, (await seqsOfSnapshots(objects, group)).at(-1) ?? 0);
  if (toldSeq <= lastSeq) return;
  const { basedOn } = (await readHistory(objects, group)).document;
  const why = `its newest pieces are missing: they end with record ${lastSeq}, and the store had those up to ${toldSeq}`;
  throw new BrokenHistoryError(why, [], lastSeq, lastSeq >= basedOn);
}

/** The store says of a group whose newest pieces are lost what the others do. After its snapshots behind them have gone. */
export async function noteCutGroup(
  place: Pick<RebuildPlace, "key"> & { readonly objects: Objects },
  group: string,
): Promise<void> {
  const { objects, key } = place;
  const stored = await StoredGroup.open({ objects, group, key, known: undefined, base: await baseOf(place, group) });
  if (stored.writer !== undefined && stored.toldSeq > (stored.link?.lastSeq ?? 0)) {
    await stored.note(objects, stored.writer);
  }
}

/** Makes the folder of a group that must not be there yet. Throws a `BrokenHistoryError` where its pieces do not go on. */
export async function rebuildGroup(place: RebuildPlace, group: string): Promise<RebuiltGroup> {
  const { machine, folder, objects, key } = place;
  const { files, randomness } = machine;
  const links = await checkHistory(place, group);
  const stored = await StoredGroup.open({ objects, group, key, known: undefined, base: await baseOf(place, group) });
  const last = stored.link;
  if (last === undefined) throw new StopError(`the store has no records of the group ${group}`);
  await checkEnd(place, group, stored, last.lastSeq);
  const newest = await newestPiece(objects, group, key);
  const { name, writer, life, epoch } = stored.writer ?? { name: group, writer: "", life: 0, epoch: 0 };
  const timeMicros = newest?.numbers.latestMicros ?? 0;
  const path = join(folder, "groups", group);
  new JournalFolder(path).makeNow(files);
  await RemoteGroupStateFile.create(files, path, {
    ...{ id: group, name, writer, life, epoch: Math.max(epoch, last.lastEpoch) },
    incarnation: randomness.integerBelow(2 ** 32),
    checkpointSeq: last.lastSeq,
    storedSeq: last.lastSeq,
    journalStart: { seq: last.lastSeq, epoch: last.lastEpoch, timeMicros },
    volumes: stored.volumes,
  });
  await whenDone((done) => files.syncFolder(join(folder, "groups"), done));
  const { firstSeq = last.firstSeq } = links[0] ?? {};
  const volumes = stored.volumes.map(({ name: volume, sizeBytes }) => ({ name: volume, sizeBytes }));
  return {
    ...{ id: group, name, firstSeq, lastSeq: last.lastSeq, epoch: last.lastEpoch, timeMicros },
    ...{ pieceCount: links.length, volumes },
  };
}

/** Undefined: all pieces are kept. */
async function baseOf(
  { objects, key }: Pick<RebuildPlace, "objects" | "key">,
  group: string,
): Promise<VolumesAt | undefined> {
  const { basedOn } = (await readHistory(objects, group)).document;
  if (basedOn === 0) return undefined;
  const volumes = async () => {
    const snapshot = await Snapshot.open(objects, { group, seq: basedOn }, key);
    return snapshot.volumes.flatMap(({ number, identity }) => (identity === undefined ? [] : { number, ...identity }));
  };
  return { seq: basedOn, volumes };
}

/** The highest number of a segment that the store has; 0: it has none. */
export async function newestSegment(objects: Pick<ReadableObjects, "list">): Promise<number> {
  let newest = 0;
  for await (const { name } of objects.list("segments/")) {
    newest = Math.max(newest, segmentOfObject(name)?.segment ?? 0);
  }
  return newest;
}

/** The numbers of segments go on behind this one. */
export async function rebuildSegmentNumbers(
  { machine, folder }: Pick<RebuildPlace, "machine" | "folder">,
  behind: number,
): Promise<void> {
  await SegmentCatalogue.rebuild(machine.files, folder, behind);
}
