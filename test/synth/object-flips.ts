/** Turned bits in the objects of a store, at the places where their parts lie. */
import { ObjectDamageError } from "#src/store/object-damage.ts";
import { ObjectFile } from "#src/store/object-file.ts";
import { listOf } from "#test/journals/sealed-pieces.ts";
import { type PointWorld, storeFolder } from "./point-world.ts";

export async function partsOf(world: PointWorld, name: string, identity: Parameters<typeof ObjectFile.open>[2]) {
  const file = await world.run(ObjectFile.open(world.objects, name, identity, undefined));
  const parts = await world.run(listOf(file.parts()));
  return parts.flatMap((part) => (part instanceof ObjectDamageError ? [] : [{ type: part.type, offset: part.offset }]));
}

export function flip(world: PointWorld, name: string, position: number): void {
  const handle = world.host.files.open(`${storeFolder}/${name}`, "readWrite");
  const byte = Buffer.alloc(1);
  handle.readNow(byte, 0, 1, position);
  byte[0] = (byte[0] as number) ^ 0x10;
  handle.writeNow(byte, 0, 1, position);
  handle.close();
}
