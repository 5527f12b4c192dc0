/** An object is written anew over itself, or stays as it is where that cannot be. */
import { RefuseError, RetryError, StopError } from "#src/core/errors.ts";
import type { ObjectName, Objects, ObjectWriter } from "#src/store/objects.ts";

/** `write` answers whether all of it was written. Resolves with whether it is in place. */
export async function isRestored(
  objects: Pick<Objects, "restore">,
  name: ObjectName,
  write: (writer: ObjectWriter) => Promise<boolean>,
): Promise<boolean> {
  const writer = objects.restore(name);
  try {
    if (await write(writer)) {
      await writer.finish();
      return true;
    }
  } catch (error) {
    await writer.abandon();
    // For want of room, or gone meanwhile, or nobody knows what is there: the scrub goes on, and finds it again.
    const staysAsItIs = [RetryError, RefuseError, StopError].some((kind) => error instanceof kind);
    if (staysAsItIs) return false;
    throw error;
  }
  await writer.abandon();
  return false;
}
