/**
 * Whether a segment's newer generation can take the place of an older one, read back from where it lies: it lacks nothing
 * that is needed and can be read there, what it has is what the older one had, and every block that it keeps can be read.
 * What a disk does not give just now is not lost: then it cannot, and both stay.
 */
import { StopError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { slotsPerPage } from "#src/core/store-limits.ts";
import { checksumBytes, hasChecksum } from "#src/host/checksum.ts";
import { type Fingerprints, fingerprintBytes } from "#src/host/fingerprint.ts";
import { segmentOf, slotOf } from "#src/records/address.ts";
import { isKept } from "./directory-walk.ts";
import { KeptBlock, unlessDamaged } from "./kept-block.ts";
import { PacedBytes } from "./paced-bytes.ts";
import { PageFrames } from "./page-frames.ts";
import type { SealedSegments } from "./sealed-segments.ts";
import type { SegmentDirectory } from "./segment-directory.ts";
import { pageOf, SlotCursor } from "./slot-cursor.ts";
import {
  forwardAt,
  frameAt,
  placeInFrameAt,
  slotChecksumAt,
  slotEntryBytes,
  slotKind,
  slotKindAt,
} from "./slot-page.ts";
import type { WorkControl } from "./work-control.ts";

/** Bytes of an entry that say what was written there: its checksum and its volume. */
const identityBytes = 12;

export async function isSoundSuccessor(
  older: SegmentDirectory,
  newer: SegmentDirectory,
  isNeeded: (slot: number) => boolean,
  fingerprints: Fingerprints,
  segments: SealedSegments,
  control: WorkControl,
): Promise<boolean> {
  try {
    if (older.counts.slots !== newer.counts.slots) return false;
    const paced = new PacedBytes(control);
    const check = new SuccessorCheck(isNeeded, fingerprints, segments);
    for (let page = 0; page < newer.pageCount; page++) {
      if (!(await check.isSoundPage(older, newer, page))) return false;
      await paced.add(check.takeReadBytes());
    }
    return true;
  } catch (error) {
    if (error instanceof StopError) return false;
    throw error;
  }
}

class SuccessorCheck {
  readonly #isNeeded: (slot: number) => boolean;
  readonly #fingerprints: Fingerprints;
  readonly #frames = new PageFrames();
  readonly #kept = new KeptBlock();
  readonly #cursor: SlotCursor;
  readonly #fingerprint = Buffer.alloc(fingerprintBytes);
  #directoryBytes = 0;

  constructor(isNeeded: (slot: number) => boolean, fingerprints: Fingerprints, segments: SealedSegments) {
    this.#isNeeded = isNeeded;
    this.#cursor = new SlotCursor(segments);
    this.#fingerprints = fingerprints;
  }

  takeReadBytes(): number {
    const taken = this.#frames.takeReadBytes() + this.#directoryBytes;
    this.#directoryBytes = 0;
    return taken;
  }

  async isSoundPage(older: SegmentDirectory, newer: SegmentDirectory, number: number): Promise<boolean> {
    const page = await newer.slots(number);
    // Of what it does not say itself nobody can read anything.
    const before = (await unlessDamaged(older.slots(number))) ?? Buffer.alloc(page.length);
    const fingerprints = await newer.fingerprints(number);
    this.#directoryBytes += 2 * page.length + fingerprints.length;
    this.#frames.begin(newer.object, page, number * slotsPerPage, () => true);
    for (let start = 0, kept = 0; start < page.length; start += slotEntryBytes) {
      const kind = slotKindAt(page, start);
      const slot = number * slotsPerPage + start / slotEntryBytes;
      if (kind === slotKind.none) {
        if (slotKindAt(before, start) !== slotKind.none && this.#isNeeded(slot)) return false;
        continue;
      }
      if (!(await isSameSlot(before, newer, page, start))) return false;
      if (kind === slotKind.damaged && this.#isNeeded(slot) && (await this.#isThere(older, before, start)))
        return false;
      if (kind === slotKind.kept && !(await this.#isReadable(page, start, fingerprints, kept++))) return false;
    }
    return true;
  }

  /** Whether what the newer one has lost is there in the older one. Rejects where it is not given, which another time it may be. */
  async #isThere(older: SegmentDirectory, before: Buffer, start: number): Promise<boolean> {
    const kind = slotKindAt(before, start);
    if (kind === slotKind.kept) return (await this.#kept.read(older, before, start)) !== undefined;
    if (kind === slotKind.forward) return await isKept(this.#cursor, forwardAt(before, start));
    return kind === slotKind.zeros;
  }

  async #isReadable(page: Buffer, start: number, fingerprints: Buffer, kept: number): Promise<boolean> {
    const frame = await this.#frames.frame(frameAt(page, start).offset);
    const at = placeInFrameAt(page, start) * blockBytes;
    const end = at + blockBytes;
    if (frame === undefined || end > frame.length) return false;
    if (!hasChecksum(frame, at, end, page, slotChecksumAt(start))) return false;
    this.#fingerprints.put(frame, at, end, this.#fingerprint, 0);
    return this.#fingerprint.compare(fingerprints, kept * fingerprintBytes, (kept + 1) * fingerprintBytes) === 0;
  }
}

/**
 * Repair may have put a block where a forward was, or noted that one is lost; and one that was sealed anew keeps more, so that
 * forwards within it lead elsewhere. The rest of an entry is as it was. Where there was nothing, nothing can get lost.
 */
async function isSameSlot(before: Buffer, newer: SegmentDirectory, page: Buffer, start: number): Promise<boolean> {
  const [was, is] = [slotKindAt(before, start), slotKindAt(page, start)];
  if (was === slotKind.none) return true;
  if (before.compare(page, start, start + identityBytes, start, start + identityBytes) !== 0) return false;
  if (is !== slotKind.forward) return is === was || is === slotKind.kept || is === slotKind.damaged;
  if (was === slotKind.forward && forwardAt(before, start) === forwardAt(page, start)) return true;
  return await leadsToSameWithin(newer, page, start);
}

async function leadsToSameWithin(newer: SegmentDirectory, page: Buffer, start: number): Promise<boolean> {
  const address = forwardAt(page, start);
  const slot = slotOf(address);
  if (segmentOf(address) !== newer.identity.segment || slot >= newer.counts.slots) return false;
  const entries = await newer.slots(pageOf(slot));
  const at = (slot % slotsPerPage) * slotEntryBytes;
  const checksumAt = slotChecksumAt(at);
  const ownAt = slotChecksumAt(start);
  const isSame = entries.compare(page, ownAt, ownAt + checksumBytes, checksumAt, checksumAt + checksumBytes) === 0;
  return isSame && slotKindAt(entries, at) === slotKind.kept;
}
