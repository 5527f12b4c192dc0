/**
 * Reads a group's history back as the remote appliance would, up to some place of its order: open and sealed, while it goes
 * on. What that makes of the volumes must be what the oracle reads from the disks. In harmful weather it may fail, and
 * is never wrong.
 */
import { AssertionError } from "#src/core/assert.ts";
import { blockBytes } from "#src/core/limits.ts";
import { decodeDocument } from "#src/host/document.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { JournalReader } from "#src/journals/journal-reader.ts";
import { type JournalStart, wholeJournal } from "#src/journals/journal-start.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { Snapshot } from "#src/synth/snapshot.ts";
import type { FoundEntry } from "./batch-reading.ts";
import { bytesAt } from "./file-tree.ts";
import type { GroupOracle } from "./group-oracle.ts";
import { payloadOf } from "./journal-payload.ts";
import type { JournalUnit } from "./journal-unit.ts";
import { keptHistory } from "./kept-history.ts";
import { isChange, type as recordTypes } from "./record-history.ts";
import { remoteFolder } from "./remote-site.ts";
import { storeFolder } from "./store-process.ts";
import { demand, Violation } from "./violation.ts";
import { type LaidRecord, VolumeLayout } from "./volume-layout.ts";
import type { World } from "./world.ts";

const stateKind = { format: "tidemark-remote-group", version: 1 };

/** `place`: of the records that the remote has, from 0, which is the first, to 1, the last. */
export async function demandReadBack(world: World, group: GroupOracle, place: number): Promise<void> {
  const { remote } = world;
  let beginning = unknown;
  try {
    beginning = beginningOf(world, group);
    const units = world.journal.units(group.id);
    const kept = units.flatMap((unit) => unit.entries).filter(({ seq }) => seq >= beginning.basedOn);
    const lastSeq = kept[Math.round(place * (kept.length - 1))]?.seq;
    if (lastSeq === undefined) return;
    const layouts = layoutsByOracle(world, group, units, lastSeq);
    const expected = contentsByOracle(world, group, layouts);
    const found = await contentsByReader(world, group, beginning, lastSeq);
    for (const [volume, content] of expected) {
      const isSame = found.get(volume)?.equals(content) === true;
      demand("truth", isSame, () => `read back up to seq ${lastSeq}, volume ${volume} is not what the disks have`);
    }
  } catch (error) {
    // The site ended meanwhile.
    if (mayFail(world, error) || remote !== world.remote) return;
    if (!hasMoved(world, group, beginning, error)) throw error;
  }
}

/** Where disks are harmed reading may fail, and is never wrong. */
export function mayFail({ weather, store }: World, error: unknown): boolean {
  return (weather.errors || weather.flips || store.isFlipped) && !isWrong(error);
}

/** What a reader relied on went meanwhile: nobody knows that he is there. Even so he is never given anything wrong. */
export function hasMoved(world: World, group: GroupOracle, before: Beginning, error: unknown): boolean {
  const now = beginningOf(world, group);
  return !isWrong(error) && (now.basedOn > before.basedOn || now.start.seq > before.start.seq);
}

/** What is damaged is a violation of truth too, where the oracle finds it. */
function isWrong(error: unknown): boolean {
  if (error instanceof AssertionError || error instanceof TypeError) return true;
  return error instanceof Violation && error.message.includes("read back");
}

const unknown: Beginning = { basedOn: 0, incarnation: 0, start: wholeJournal };

export interface Beginning {
  readonly basedOn: number;
  readonly incarnation: number;
  readonly start: JournalStart;
}

/** Where the history begins, and where the journals do. */
export function beginningOf({ remoteDisks, remoteHost, weather }: World, { id }: GroupOracle): Beginning {
  const stored = weather.flips ? undefined : remoteDisks.current();
  const state = stateOf(remoteHost, id);
  return {
    basedOn: stored === undefined ? 0 : keptHistory(stored, id).basedOn,
    incarnation: state?.incarnation as number,
    start: (state?.journalStart as JournalStart | undefined) ?? wholeJournal,
  };
}

function stateOf({ disk }: World["remoteHost"], group: string): Record<string, unknown> | undefined {
  const path = `${remoteFolder}/groups/${group}/group.json`;
  const bytes = bytesAt(disk.root, path);
  return bytes === undefined ? undefined : decodeDocument(bytes, path, stateKind);
}

type Layouts = ReadonlyMap<number, VolumeLayout<FoundEntry>>;

/** By the volumes as hosts number them. An aggregate is whole, or not there. */
export function layoutsByOracle(
  world: World,
  group: GroupOracle,
  units: readonly JournalUnit[],
  lastSeq: number,
): Layouts {
  const layouts = new Map(
    volumesOf(world, group).map(({ volume, blockCount }) => [volume, new VolumeLayout<FoundEntry>(blockCount)]),
  );
  for (const unit of units) {
    if (unit.isAggregate && unit.lastSeq > lastSeq) continue;
    for (const entry of unit.entries) {
      if (entry.seq <= lastSeq) layouts.get(group.history.hostVolumeOf(entry) ?? 0)?.apply(entry);
    }
  }
  return layouts;
}

export function contentsByOracle(world: World, group: GroupOracle, layouts: Layouts): Map<number, Buffer> {
  const contents = emptyContents(world, group);
  for (const [volume, layout] of layouts) {
    for (const part of layout.parts()) {
      const content = contents.get(volume) as Buffer;
      payloadOf(world.remoteDisks, group.id, part).copy(content, part.startBlock * blockBytes);
    }
  }
  return contents;
}

async function contentsByReader(
  world: World,
  group: GroupOracle,
  { basedOn, incarnation, start }: Beginning,
  lastSeq: number,
): Promise<Map<number, Buffer>> {
  const { files } = world.remoteHost;
  const contents = emptyContents(world, group);
  if (basedOn > 0) await readBase(world, group, basedOn, contents);
  const folder = new JournalFolder(`${remoteFolder}/groups/${group.id}`);
  const identity = { group: group.id, incarnation };
  const reader = new JournalReader({ files, folder, identity, sealed: world.remote?.sealed, start });
  try {
    for await (const record of reader.records(basedOn, lastSeq)) {
      const content = contents.get(group.history.hostVolumeOf(record) ?? 0);
      if (content === undefined) continue;
      const payload = Buffer.alloc(record.address === 0 ? 0 : record.blockCount * blockBytes);
      if (payload.length > 0) await reader.readPayload(record, payload, 0);
      applyTo(content, { ...record, extra: record.extra.toString("utf8").replace(/\0+$/, "") }, payload);
    }
  } finally {
    if (world.remote !== undefined) reader.close();
  }
  return contents;
}

/** What the volumes were where the history begins. */
async function readBase(world: World, group: GroupOracle, seq: number, contents: Contents): Promise<void> {
  const objects = FolderObjects.openToShow(world.remoteHost, storeFolder);
  const snapshot = await Snapshot.open(objects, { group: group.id, seq }, world.remoteDisks.storeKey());
  for (const { number } of snapshot.volumes) {
    const content = contents.get(group.history.hostVolumeOf({ volume: number }) ?? 0);
    for await (const { startBlock, address, blockCount } of snapshot.scan(number)) {
      if (content === undefined || address === 0) continue;
      const run = { address, blockCount, volume: number, group: group.id };
      const damaged = await world.remote?.sealed?.blocks.read(run, content, startBlock * blockBytes);
      if (damaged?.length !== 0) throw new Error(`of ${blockCount} blocks at ${address} some are damaged: ${damaged}`);
    }
  }
  await objects.close();
}

type Contents = ReadonlyMap<number, Buffer>;

/** Does to the volume's content what the record says. */
function applyTo(content: Buffer, record: LaidRecord, payload: Buffer): void {
  const { type, startBlock, blockCount, address } = record;
  if (type === recordTypes.volume || type === recordTypes.resize) {
    content.fill(0, (JSON.parse(record.extra) as { readonly sizeBytes: number }).sizeBytes);
  }
  if (!isChange(record)) return;
  const start = startBlock * blockBytes;
  if (address === 0) content.fill(0, start, start + blockCount * blockBytes);
  else payload.copy(content, start);
}

function emptyContents(world: World, group: GroupOracle): Map<number, Buffer> {
  return new Map(
    volumesOf(world, group).map(({ volume, blockCount }) => [volume, Buffer.alloc(blockCount * blockBytes)]),
  );
}

function volumesOf(world: World, group: GroupOracle): { readonly volume: number; readonly blockCount: number }[] {
  const plan = world.weather.groups[world.groups.indexOf(group)];
  return (plan?.volumes ?? []).map(({ name, blockCount }) => {
    const host = world.volumes.find((one) => one.name === name);
    return { volume: host?.model.volume ?? 0, blockCount };
  });
}
