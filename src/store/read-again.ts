/** Reading from a service that may answer something else than it has. */
import { RefuseError } from "#src/core/errors.ts";
import { ObjectDamageError } from "./object-damage.ts";

/** What is damaged in the store stays so, and is told at the second time. */
export async function readAgain<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    // A bit that was turned may also say that another version has written it.
    if (!(error instanceof ObjectDamageError || error instanceof RefuseError)) throw error;
    return await read();
  }
}
