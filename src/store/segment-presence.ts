/** Whether a store has a segment, in whichever generation, as it is found now. */
import { isObjectThere } from "./object-presence.ts";
import type { ReadableObjects } from "./objects.ts";
import { segmentNamePrefix, segmentObjectName } from "./segment-format.ts";

export async function isSegmentThere(
  objects: Pick<ReadableObjects, "sizeBytes" | "list">,
  segment: number,
): Promise<boolean> {
  if (await isObjectThere(objects, segmentObjectName({ segment, generation: 0 }))) return true;
  for await (const _ of objects.list(segmentNamePrefix(segment))) return true;
  return false;
}
