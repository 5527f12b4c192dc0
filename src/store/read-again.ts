/** Reading from a service that may answer something else than it has. */
import { ObjectDamageError } from "./object-damage.ts";

/** What is damaged in the store stays so, and is told at the second time. */
export async function readAgain<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ObjectDamageError)) throw error;
    return await read();
  }
}
