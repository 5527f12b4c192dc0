/** What a sealed segment says of each of its slots, for people. Of one that is encrypted nothing is to be read here. */
import { RefuseError, StopError } from "#src/core/errors.ts";
import { slotsPerPage, storeDirectoryCacheBytes } from "#src/core/store-limits.ts";
import { checksumBytes } from "#src/host/checksum.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { segmentOf, slotOf } from "#src/records/address.ts";
import { BoundedCache } from "./bounded-cache.ts";
import type { ObjectSource } from "./object-ends.ts";
import { decodeObjectHeader, objectHeaderBytes, objectKind } from "./object-format.ts";
import { SegmentDirectory } from "./segment-directory.ts";
import { SegmentFile } from "./segment-file.ts";
import type { SegmentCounts, SegmentIdentity } from "./segment-format.ts";
import {
  forwardAt,
  frameAt,
  frameSlotAt,
  placeInFrameAt,
  slotChecksumAt,
  slotEntryBytes,
  slotKind,
  slotKindAt,
  slotVolumeAt,
} from "./slot-page.ts";

export interface SegmentItem extends SegmentIdentity, SegmentCounts {
  readonly kind: "segment";
  readonly object: string;
  readonly group: string;
  readonly level: number;
}

export interface SlotItem {
  readonly kind: "slot";
  readonly slot: number;
  readonly state: "zeros" | "kept" | "forward" | "damaged";
  readonly volume: number;
  /** Of the block's bytes; hexadecimal. */
  readonly checksum: string;
  /** Of a kept block: its frame's place in the object, the frame's first slot, and which block of the frame it is. */
  readonly frame?: {
    readonly offset: number;
    readonly storedBytes: number;
    readonly slot: number;
    readonly place: number;
  };
  readonly fingerprint?: string;
  /** Where a forward leads. */
  readonly target?: { readonly segment: number; readonly slot: number };
}

export interface SegmentFlawItem {
  readonly kind: "flaw";
  readonly message: string;
}

export type SegmentDescriptionItem = SegmentItem | SlotItem | SegmentFlawItem;

/** Slots with nothing in them are left out. Throws a `RefuseError` for what is no segment, or encrypted. */
export async function* describeSegment(
  source: ObjectSource,
  path: string,
): AsyncGenerator<SegmentDescriptionItem, void> {
  const bytes = Buffer.alloc(objectHeaderBytes);
  const byteLength = await source.read(path, bytes, 0);
  const { kind, group, level, number, generation, isEncrypted } = decodeObjectHeader(
    bytes.subarray(0, byteLength),
    path,
  );
  if (kind !== objectKind.segment) throw new RefuseError(`${path} is no sealed segment`);
  if (isEncrypted) throw new RefuseError(`${path} is encrypted: 'tidemark dump object' tells what can be seen of it`);
  const named: ObjectSource = {
    read: (_name, target, position) => source.read(path, target, position),
    sizeBytes: () => source.sizeBytes(path),
  };
  const identity = { segment: number, generation };
  const file = await SegmentFile.open(named, identity, undefined);
  yield { kind: "segment", object: path, ...identity, group, level, ...file.counts };
  const directory = new SegmentDirectory(identity, file, new BoundedCache(storeDirectoryCacheBytes), 0);
  for (let page = 0; page < directory.pageCount; page++) yield* await pageItems(directory, page);
}

async function pageItems(directory: SegmentDirectory, page: number): Promise<SegmentDescriptionItem[]> {
  try {
    const slots = await directory.slots(page);
    const fingerprints = await directory.fingerprints(page);
    const items: SlotItem[] = [];
    let keptCount = 0;
    for (let start = 0; start < slots.length; start += slotEntryBytes) {
      const state = stateNames[slotKindAt(slots, start)];
      if (state === undefined) continue;
      const slot = page * slotsPerPage + start / slotEntryBytes;
      const at = state === "kept" ? keptCount++ * fingerprintBytes : 0;
      items.push(slotItem(slots, start, { slot, state }, fingerprints.subarray(at, at + fingerprintBytes)));
    }
    return items;
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    return [{ kind: "flaw", message: error.message }];
  }
}

const stateNames: Readonly<Record<number, SlotItem["state"]>> = {
  [slotKind.zeros]: "zeros",
  [slotKind.kept]: "kept",
  [slotKind.forward]: "forward",
  [slotKind.damaged]: "damaged",
};

function slotItem(
  slots: Buffer,
  start: number,
  { slot, state }: Pick<SlotItem, "slot" | "state">,
  fingerprint: Buffer,
): SlotItem {
  const checksumAt = slotChecksumAt(start);
  const checksum = slots.toString("hex", checksumAt, checksumAt + checksumBytes);
  const item = { kind: "slot", slot, state, volume: slotVolumeAt(slots, start), checksum } as const;
  if (state === "kept") {
    const frame = { ...frameAt(slots, start), slot: frameSlotAt(slots, start), place: placeInFrameAt(slots, start) };
    return { ...item, frame, fingerprint: fingerprint.toString("hex") };
  }
  if (state !== "forward") return item;
  const address = forwardAt(slots, start);
  return { ...item, target: { segment: segmentOf(address), slot: slotOf(address) } };
}

/** In one line. */
export function segmentLine(item: SegmentDescriptionItem): string {
  if (item.kind === "flaw") return `  DAMAGED: ${item.message}`;
  if (item.kind === "segment") {
    const { object, segment, generation, group, slots, kept, forwards, zeros, damaged, frames } = item;
    const counts = `${slots} slots: ${kept} kept in ${frames} frames, ${forwards} forwards, ${zeros} zeros, ${damaged} damaged`;
    return `segment ${object}: ${segment}, generation ${generation}, of group ${group}, ${counts}`;
  }
  const { slot, state, volume, checksum, frame, fingerprint, target } = item;
  const where =
    frame === undefined
      ? ""
      : ` block ${frame.place} of the frame at ${frame.offset} (${frame.storedBytes} bytes) ${fingerprint}`;
  const to = target === undefined ? "" : ` to slot ${target.slot} of segment ${target.segment}`;
  return `  slot ${slot} ${state} volume ${volume} checksum ${checksum}${where}${to}`;
}
