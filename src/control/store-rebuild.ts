/**
 * Makes the data folder of a remote appliance anew of its store's objects: all of it, where the folder is empty, or the groups of
 * which the store has less than the folder says, or more. Interrupted, it is run again and comes to the same.
 *
 * Invariants: until all of it is made, the folder says that it is being made, and no appliance opens it; what is refused for what
 * it was asked, or for what a later program has written, is refused before anything is changed.
 */
import { join } from "node:path";
import {
  BrokenHistoryError,
  newestSegment,
  noteCutGroup,
  type RebuildProgress,
  type RebuiltGroup,
  rebuildGroup,
  rebuildSegmentNumbers,
} from "#src/appliance/remote/rebuilt-groups.ts";
import { RemoteGroupStateFile } from "#src/appliance/remote/remote-group-state.ts";
import { RefuseError, StopError } from "#src/core/errors.ts";
import { segmentNumbersSkipped } from "#src/core/store-limits.ts";

import type { Machine } from "#src/host/machine.ts";
import { keepName, unpublishedEnding } from "#src/host/publish.ts";
import { whenDone } from "#src/host/when-done.ts";
import { storedGroups } from "#src/journals/stored-group.ts";
import { readVolumeNames } from "#src/journals/volume-names.ts";
import type { Objects } from "#src/store/objects.ts";
import { ScrubNotebook } from "#src/store/scrub-notebook.ts";
import { findStoreDocument } from "#src/store/store-document-copies.ts";
import { heldByAnother, readStoreHolder, takeStore } from "#src/store/store-holder.ts";
import { openKeys } from "#src/store/store-keys.ts";
import type { WrappingKey } from "#src/store/wrapping-key.ts";
import { cutSnapshots } from "#src/synth/history-cut.ts";
import { assertDocumentsKnown, assertObjectsKnown } from "./later-versions.ts";
import { demandConfirmed, groupsIn, type LostGroup, lostGroups } from "./lost-groups.ts";
import {
  bindingName,
  type FoundNote,
  findNotedStore,
  type NotedStore,
  newBinding,
  noteStore,
  readNotedStore,
} from "./store-binding.ts";

export interface StoreRebuildParts {
  readonly machine: Machine;
  /** Of the remote appliance; it is there. */
  readonly folder: string;
  readonly objects: Objects;
  /** Of the store, for people. */
  readonly place: string;
  readonly wrappingKey: WrappingKey | undefined;
  /** The folder has groups, which stay where the store has just what they say. */
  readonly isInPlace: boolean;
  /** Names of groups of which what the store has not may be set aside; that of the binding: it says nothing, and the store is ours. */
  readonly confirmed: readonly string[];
  /** Names of groups whose pieces behind a gap may be removed from the store. */
  readonly cut: readonly string[];
  readonly progress: (progress: RebuildProgress) => void;
}

export interface StoreRebuildResult {
  /** Null: there is none, and a new one will be made. */
  readonly store: string | null;
  readonly rebuilt: readonly RebuiltGroup[];
  /** What there was of them is in a folder beside. */
  readonly setAside: readonly (LostGroup & { readonly folder: string })[];
  /** They are as they were. */
  readonly kept: readonly string[];
  /** Not made, and why. */
  readonly broken: readonly BrokenGroup[];
}

export interface BrokenGroup {
  readonly id: string;
  readonly why: string;
  /** It can be made of what is before its gap. */
  readonly canBeCut: boolean;
}

/** What may be in an empty folder of a remote appliance. */
const belongToNobody = new Set(["objects", "index", "lock", "lost+found"]);

export async function rebuildFromStore(parts: StoreRebuildParts): Promise<StoreRebuildResult> {
  const { machine, folder, objects, isInPlace } = parts;
  const { files, randomness, clock } = machine;
  if (!isInPlace) assertEmpty(parts, readNotedStore(files, folder));
  await assertDocumentsKnown(parts);
  const document = (await findStoreDocument(objects))?.document;
  if (document === undefined && !isInPlace) throw new RefuseError(`${parts.place} holds no store`);
  if (isInPlace) await assertOwn(parts, findNotedStore(files, folder));
  const key = document === undefined ? undefined : openKeys(document, parts.wrappingKey)?.keys.storeKey;
  const store = document?.id ?? null;
  const lost = await lostGroups(parts, key);
  demandConfirmed(lost, parts.confirmed);
  await assertObjectsKnown(objects, await groupsToMake(parts, lost));
  const binding = { ...newBinding(randomness, store), isRebuilding: true };
  await noteStore(files, folder, binding);
  const newest = await newestSegment(objects);
  const segmentsBehind =
    store === null
      ? newest + segmentNumbersSkipped
      : await takeStore(objects, binding.holder, Math.round(clock.wallMs() * 1000), newest);
  await rebuildSegmentNumbers({ machine, folder }, segmentsBehind);
  const made = await makeGroups(parts, key, lost);
  await noteStore(files, folder, { ...binding, isRebuilding: false });
  return { store, ...made };
}

/** Of the others nothing is read. */
async function groupsToMake(
  { machine, folder, objects }: StoreRebuildParts,
  lost: readonly LostGroup[],
): Promise<string[]> {
  const isLost = (id: string): boolean => lost.some((group) => group.id === id);
  const groupsPath = join(folder, "groups");
  const whole = groupsIn(machine, folder).filter((id) => !isLost(id) && hasState(machine, groupsPath, id));
  return (await storedGroups(objects)).filter((id) => !whole.includes(id));
}

function assertEmpty({ machine, folder }: StoreRebuildParts, noted: NotedStore | undefined): void {
  if (noted?.isRebuilding === true) return;
  // One that ended before it had noted anything leaves a file that was never published.
  const isSomebodys = (name: string): boolean => !belongToNobody.has(name) && !name.endsWith(unpublishedEnding);
  const found = machine.files.list(folder).find(isSomebodys);
  if (found === undefined) return;
  const wayOut =
    groupsIn(machine, folder).length === 0
      ? "no group was ever in it, so take what is in it away, apart from objects, and run this again"
      : "name another folder with --data, or take the old one away; --in-place mends what is there";
  throw new RefuseError(`${folder} is not empty, ${found} is there: ${wayOut}`);
}

/** Whoever else has the store may be at work: it is taken from him only by who names it. */
async function assertOwn(parts: StoreRebuildParts, { noted, damage }: FoundNote): Promise<void> {
  const { machine, folder, objects, confirmed } = parts;
  const holder = await readStoreHolder(objects);
  if (holder === undefined || holder.holder === noted?.holder || noted?.isRebuilding === true) return;
  const { message } = heldByAnother(holder);
  const isForgotten = noted === undefined && groupsIn(machine, folder).length > 0;
  if (!isForgotten) throw new RefuseError(message);
  if (confirmed.includes(bindingName)) return;
  const why = damage?.message ?? `${join(folder, bindingName)} is not there`;
  throw new RefuseError(
    `${message}. Or it is this folder's, which cannot say so any more: ${why}. ` +
      `If that is so, and nobody else writes to the store, add --confirm ${bindingName}`,
  );
}

async function makeGroups(
  parts: StoreRebuildParts,
  key: Buffer | undefined,
  lost: readonly LostGroup[],
): Promise<Omit<StoreRebuildResult, "store">> {
  const { machine, folder, objects, isInPlace, progress } = parts;
  const { files } = machine;
  const groupsPath = join(folder, "groups");
  files.makeFolder(groupsPath);
  await keepName(files, groupsPath);
  const place = { machine, folder, objects, key, progress };
  const setAside: (LostGroup & { readonly folder: string })[] = [];
  for (const group of lost) setAside.push({ ...group, folder: await putAside(machine, groupsPath, group.id) });
  const kept = groupsIn(machine, folder).filter((id) => hasState(machine, groupsPath, id));
  // One that was interrupted may have made them, and not have come to make their names durable.
  for (const path of [...kept.map((id) => join(groupsPath, id)), groupsPath]) {
    await whenDone((done) => files.syncFolder(path, done));
  }
  const names = await readVolumeNames(objects);
  // Where the folder said what is lost, or did before this was interrupted. Another group may have the same name.
  const isNamed = (id: string): boolean => [id, names.group(id) ?? id].some((name) => parts.confirmed.includes(name));
  const isConfirmed = (id: string): boolean =>
    lost.some((group) => group.id === id) || (isInPlace && isAside(machine, groupsPath, id) && isNamed(id));
  const rebuilt: RebuiltGroup[] = [];
  const broken: BrokenGroup[] = [];
  for (const id of await storedGroups(objects)) {
    if (kept.includes(id)) continue;
    try {
      rebuilt.push(await rebuiltOrCut(parts, place, id, isConfirmed(id)));
    } catch (error) {
      if (!(error instanceof StopError)) throw error;
      const canBeCut = error instanceof BrokenHistoryError && error.canBeCut;
      broken.push({ id, why: error.message, canBeCut });
    }
  }
  for (const id of await groupsWithoutPieces(objects)) {
    if (!kept.includes(id)) broken.push({ id, why: noPieces, canBeCut: false });
  }
  return { rebuilt, setAside, kept, broken };
}

const noPieces = "the store has snapshots of it, and no piece of its journal, of which the newest is never removed";

/** Nothing that Tidemark does leaves a group so. */
async function groupsWithoutPieces(objects: Objects): Promise<string[]> {
  const whole = await storedGroups(objects);
  const groups = new Set<string>();
  for await (const { name } of objects.list("snapshots/")) groups.add(name.split("/")[1] as string);
  return [...groups].filter((group) => !whole.includes(group));
}

function hasState({ files }: Machine, groupsPath: string, id: string): boolean {
  return RemoteGroupStateFile.read(files, join(groupsPath, id), id) !== undefined;
}

async function rebuiltOrCut(
  { cut, objects }: StoreRebuildParts,
  place: Parameters<typeof rebuildGroup>[0],
  id: string,
  isConfirmed: boolean,
): Promise<RebuiltGroup> {
  try {
    return await rebuildGroup(place, id);
  } catch (error) {
    if (!(error instanceof BrokenHistoryError) || !error.canBeCut) throw error;
    const isSettled = cut.includes(id) || (isConfirmed && error.behind.length === 0);
    if (!isSettled) throw error;
    // The newest piece first: whenever this ends, there is a gap before what is left.
    await cutSnapshots(objects, id, error.lastSeq);
    for (const name of error.behind) await objects.remove(name);
    await noteCutGroup({ objects, key: place.key }, id);
    const notebook = await ScrubNotebook.open(objects, place.machine.log);
    notebook.forgetHeadBehind(id, error.lastSeq);
    await notebook.save();
    return await rebuildGroup(place, id);
  }
}

/** What there was of the group was set aside, now or before. */
function isAside({ files }: Machine, groupsPath: string, id: string): boolean {
  return files.list(groupsPath).some((name) => name.startsWith(asideName(id, "")));
}

/** The name is not one of a group, so nobody opens it. */
function asideName(id: string, count: number | ""): string {
  return `${id}.set-aside-${count}`;
}

async function putAside({ files }: Machine, groupsPath: string, id: string): Promise<string> {
  let count = 1;
  while (files.exists(join(groupsPath, asideName(id, count)))) count++;
  const aside = join(groupsPath, asideName(id, count));
  files.rename(join(groupsPath, id), aside);
  await keepName(files, aside);
  return aside;
}
