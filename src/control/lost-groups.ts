/**
 * Groups of which a store has not what their folder says, be it less or more: fewer records than it had, or more than the folder's
 * journals have, or not the payload of records that it has still to get, which was sealed and removed here. And those of which the
 * folder cannot say anything any more.
 */
import { join } from "node:path";
import { type RemoteGroupState, RemoteGroupStateFile } from "#src/appliance/remote/remote-group-state.ts";
import { RefuseError, StopError } from "#src/core/errors.ts";
import type { Machine } from "#src/host/machine.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { piecesInForce } from "#src/journals/pieces-in-force.ts";
import { SealedPiece } from "#src/journals/sealed-piece.ts";
import { holeAddress, segmentOf } from "#src/records/address.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import { isSegmentThere } from "#src/store/segment-presence.ts";
import { GroupFolders } from "./group-folders.ts";

export interface LostGroup {
  readonly id: string;
  /** Its id, where that is all that is known. */
  readonly name: string;
  /** Up to there the store had the records, as the folder says; or as they were found, where it cannot say it. */
  readonly storedSeq: number;
  /** And has them now. */
  readonly foundSeq: number;
  /** What a record behind that points to is neither there nor in the folder. Null: all of it is. */
  readonly lostSegment: number | null;
  /** Of a piece behind it: why it cannot be read. Absent: there is none. */
  readonly damage?: string;
  /** Why the folder cannot say what it has of it. Absent: it can. */
  readonly unreadable?: string;
}

export interface LostGroupsPlace {
  readonly machine: Machine;
  /** Of the remote appliance. */
  readonly folder: string;
  readonly objects: ReadableObjects;
}

export async function lostGroups(place: LostGroupsPlace, key: Buffer | undefined): Promise<LostGroup[]> {
  const { machine, folder, objects } = place;
  const lost: LostGroup[] = [];
  for (const id of groupsIn(machine, folder)) {
    const { foundSeq, damage } = await foundEnd(objects, id, key);
    const state = stateOrDamage(place, id);
    // Without a state nothing was ever taken, or it is being made.
    if (state === undefined) continue;
    const damaged = damage === undefined ? {} : { damage };
    if (state instanceof StopError) {
      const unreadable = state.message;
      lost.push({ id, name: id, storedSeq: foundSeq, foundSeq, lostSegment: null, ...damaged, unreadable });
      continue;
    }
    const { name, storedSeq, checkpointSeq } = state;
    const isOther = foundSeq < storedSeq || foundSeq > checkpointSeq;
    const lostSegment = isOther ? null : await findLostSegment(place, id, foundSeq);
    const isLost = isOther || lostSegment !== null;
    if (isLost) lost.push({ id, name, storedSeq, foundSeq, lostSegment, ...damaged });
  }
  return lost;
}

/** A state that a later version has written is none that is lost. */
function stateOrDamage({ machine, folder }: LostGroupsPlace, id: string): RemoteGroupState | StopError | undefined {
  try {
    return RemoteGroupStateFile.read(machine.files, join(folder, "groups", id), id)?.state;
  } catch (error) {
    if (error instanceof StopError) return error;
    throw error;
  }
}

/** Where what can be read of the pieces ends, and what is damaged behind it. What a disk does not give just now is not lost. */
async function foundEnd(
  objects: ReadableObjects,
  group: string,
  key: Buffer | undefined,
): Promise<{ readonly foundSeq: number; readonly damage: string | undefined }> {
  let damage: string | undefined;
  for (const identity of (await piecesInForce(objects, group)).toReversed()) {
    try {
      return { foundSeq: (await SealedPiece.open(objects, identity, key)).numbers.lastSeq, damage };
    } catch (error) {
      if (!(error instanceof ObjectDamageError)) throw error;
      damage ??= error.message;
    }
  }
  return { foundSeq: 0, damage };
}

export function groupsIn({ files }: Pick<Machine, "files">, folder: string): string[] {
  const groups = join(folder, "groups");
  return files.exists(groups) ? files.list(groups).filter((name) => /^[0-9a-f]{32}$/.test(name)) : [];
}

/** Null: none is lost. */
async function findLostSegment(place: LostGroupsPlace, group: string, foundSeq: number): Promise<number | null> {
  for (const segment of segmentsAway(place, group, foundSeq)) {
    if (!(await isSegmentThere(place.objects, segment))) return segment;
  }
  return null;
}

/** Where records behind this one point to, and which are not in the folder any more. */
function segmentsAway({ machine, folder }: LostGroupsPlace, group: string, foundSeq: number): Set<number> {
  const { files } = machine;
  const path = join(folder, "groups");
  const here = new Set(new JournalFolder(join(path, group)).segments(files));
  const away = new Set<number>();
  const walk = new GroupFolders(files, path).walkFrom(group, foundSeq + 1);
  if (walk === undefined) return away;
  try {
    for (let found = walk.next(); found.finding === "sound"; found = walk.next()) {
      for (const { seq, address } of found.records) {
        const segment = segmentOf(address);
        if (seq > foundSeq && address !== holeAddress && !here.has(segment)) away.add(segment);
      }
    }
  } finally {
    walk.close();
  }
  return away;
}

/** Throws a `RefuseError` where one of them is not named. */
export function demandConfirmed(lost: readonly LostGroup[], confirmed: readonly string[]): void {
  const open = lost.filter(({ name }) => !confirmed.includes(name));
  if (open.length === 0) return;
  const flags = open.map(({ name }) => `--confirm ${name}`).join(" ");
  const wayOut = "To go on with what it has, and to set aside what this folder has beyond, add";
  throw new RefuseError(
    `the store lacks what it had: ${open.map(lossOf).join("; ")}. Put back a newer copy of it, if there is one. ${wayOut} ${flags}`,
  );
}

function lossOf({ name, storedSeq, foundSeq, lostSegment, damage, unreadable }: LostGroup): string {
  const mending = damage === undefined ? "" : ` (${damage}; 'tidemark scrub' may repair that)`;
  const found = `of ${name} it has the records up to ${foundSeq}${mending}`;
  if (unreadable !== undefined) return `${found}, and nobody knows up to where it had them, since ${unreadable}`;
  return lostSegment === null
    ? `${found}, and had them up to ${storedSeq}`
    : `${found}, and not segment ${lostSegment}, to which others point`;
}
