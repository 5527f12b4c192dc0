/**
 * A host's copy of a small volume, as a file that file system tools work on without root; what they have changed in it is
 * written to the volume, block by block, and flushed.
 */
import { join } from "node:path";
import { attachStepMs, storyPieceBytes } from "#src/core/attach-limits.ts";
import type { BlockDevice } from "#src/host/block-device.ts";
import { openBlockDevice } from "#src/host/node/block-device.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeSockets } from "#src/host/node/sockets.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { connect } from "#src/nbd/client/connect.ts";
import { parseNbdUri } from "#src/nbd/uri.ts";
import { type Hands, succeedHere } from "../attach/hands.ts";
import { copyExport } from "../export-copy.ts";

const blockBytes = 4096;
/** Where ext4 and its forebears have the two bytes by which they are known. */
const magicAt = 1080;
const magic = 0xef53;

export class VolumeImage {
  readonly path: string;
  /** Nothing but zeros. */
  readonly isEmpty: boolean;
  readonly #before: string;
  readonly #hands: Hands;

  private constructor(hands: Hands, path: string, isEmpty: boolean) {
    this.#hands = hands;
    this.path = path;
    this.isEmpty = isEmpty;
    this.#before = `${path}.before`;
  }

  static async of(hands: Hands, uri: string, folder: string, name: string): Promise<VolumeImage> {
    const path = join(folder, name);
    const copiedBytes = await copyExport(uri, path);
    return new VolumeImage(hands, path, copiedBytes === 0 || holdsNothing(path));
  }

  hasFileSystem(): boolean {
    const device = openBlockDevice(this.path, { readOnly: true });
    try {
      const bytes = Buffer.alloc(2);
      device.readNow(bytes, 0, bytes.length, magicAt);
      return bytes.readUInt16LE() === magic;
    } finally {
      device.close();
    }
  }

  /** Answers how many bytes of the volume it has changed. */
  async change(uri: string, work: () => Promise<void>): Promise<number> {
    await succeedHere(this.#hands, "cp", ["--sparse=always", this.path, this.#before], attachStepMs);
    await work();
    const { address, exportName } = parseNbdUri(uri);
    const client = await connect({ address, exportName, sockets: nodeSockets, clock: nodeClock });
    const now = openBlockDevice(this.path, { readOnly: true });
    const before = openBlockDevice(this.#before, { readOnly: true });
    try {
      const changedBytes = await writeDifference(client, before, now);
      await client.flush();
      return changedBytes;
    } finally {
      before.close();
      now.close();
      await client.disconnect();
    }
  }
}

/** Where holes are not known all of a file is data, and may be zeros nevertheless. */
function holdsNothing(path: string): boolean {
  const device = openBlockDevice(path, { readOnly: true });
  const zeros = Buffer.alloc(storyPieceBytes);
  const piece = Buffer.alloc(storyPieceBytes);
  try {
    for (let offset = 0; offset < device.sizeBytes; offset += storyPieceBytes) {
      const lengthBytes = Math.min(storyPieceBytes, device.sizeBytes - offset);
      if (isHole(device, offset, lengthBytes)) continue;
      device.readNow(piece, 0, lengthBytes, offset);
      if (!piece.subarray(0, lengthBytes).equals(zeros.subarray(0, lengthBytes))) return false;
    }
    return true;
  } finally {
    device.close();
  }
}

async function writeDifference(client: NbdClient, before: BlockDevice, now: BlockDevice): Promise<number> {
  let changedBytes = 0;
  const old = Buffer.alloc(storyPieceBytes);
  const fresh = Buffer.alloc(storyPieceBytes);
  for (let offset = 0; offset < now.sizeBytes; offset += storyPieceBytes) {
    const lengthBytes = Math.min(storyPieceBytes, now.sizeBytes - offset);
    if (isHole(before, offset, lengthBytes) && isHole(now, offset, lengthBytes)) continue;
    before.readNow(old, 0, lengthBytes, offset);
    now.readNow(fresh, 0, lengthBytes, offset);
    for (let at = 0; at < lengthBytes; at += blockBytes) {
      const end = Math.min(at + blockBytes, lengthBytes);
      const block = fresh.subarray(at, end);
      if (block.equals(old.subarray(at, end))) continue;
      // The buffer is used again, and what was written is not sent yet when this returns.
      await client.write(offset + at, Buffer.from(block));
      changedBytes += block.length;
    }
  }
  return changedBytes;
}

function isHole(device: BlockDevice, offset: number, lengthBytes: number): boolean {
  return device.extentsNow(offset, lengthBytes, 1).every((extent) => extent.hole && extent.lengthBytes === lengthBytes);
}
