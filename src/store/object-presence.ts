/** What is in a store, and can be read, for whom the opposite is an answer and no error. */
import { StopError } from "#src/core/errors.ts";
import { AbsentObjectError, type ObjectName, type ReadableObjects } from "./objects.ts";

export async function isObjectThere(objects: Pick<ReadableObjects, "sizeBytes">, name: ObjectName): Promise<boolean> {
  try {
    await objects.sizeBytes(name);
    return true;
  } catch (error) {
    if (error instanceof AbsentObjectError) return false;
    throw error;
  }
}

/** Undefined: it is gone, or damaged, or not given at the moment. */
export async function unlessUnreadable<Found>(found: Promise<Found>): Promise<Found | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof StopError || error instanceof AbsentObjectError) return undefined;
    throw error;
  }
}
