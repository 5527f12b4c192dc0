/**
 * Reads an object that was just published, from one end to the other: whoever wrote it is about to remove what it was made of.
 * Every part has to lie where it was put, with the checksum that it was given; what says where blocks are is opened as well.
 * What frames hold is not decompressed: that would take a quarter of the time of sealing.
 */

import { ObjectDamageError } from "./object-damage.ts";
import { type ObjectSource, readObjectEnds } from "./object-ends.ts";
import { objectHeaderBytes, type WantedObject } from "./object-format.ts";
import type { ObjectName } from "./objects.ts";
import { isPartType, type PartCodec, partType } from "./part.ts";
import { type WalkedPart, walkParts } from "./part-walk.ts";
import { readAgain } from "./read-again.ts";

/** `key` is the store's. Throws an `ObjectDamageError`, or a `StopError` where the disk does not give it. */
export async function readBack(
  objects: ObjectSource,
  name: ObjectName,
  wanted: WantedObject,
  key: Buffer | undefined,
): Promise<void> {
  await readAgain(async () => {
    const { footer, codec } = await readObjectEnds(objects, name, wanted, key);
    const read = (target: Buffer, position: number) => objects.read(name, target, position);
    let room = Buffer.alloc(0);
    for await (const part of walkParts(read, codec, objectHeaderBytes, footer.tableAt + footer.tableBytes)) {
      const plainBytes = part.finding === undefined ? (part.head?.plainBytes ?? 0) : 0;
      if (part.head?.type !== partType.frame && plainBytes > room.length) room = Buffer.allocUnsafeSlow(plainBytes);
      const finding = part.finding ?? findingIn(part, codec, room);
      if (finding !== undefined) throw damage(name, part, finding);
    }
  });
}

function findingIn({ head, offset, bytes, start }: WalkedPart, codec: PartCodec, room: Buffer): string | undefined {
  if (head?.type === partType.frame) return undefined;
  const found = codec.unpack(offset, bytes, start, room, 0);
  return typeof found === "string" ? found : undefined;
}

function damage(name: ObjectName, { head, offset, storedBytes }: WalkedPart, finding: string): ObjectDamageError {
  const identity = head !== undefined && isPartType(head.type) ? { type: head.type, number: head.number } : undefined;
  return new ObjectDamageError(name, { ...identity, offset, storedBytes }, finding);
}
