/** Randomness of the operating system. */
import { randomBytes, randomInt } from "node:crypto";
import { assert } from "#src/core/assert.ts";
import type { Randomness } from "../randomness.ts";

export const nodeRandomness: Randomness = {
  bytes: (count) => randomBytes(count),
  integerBelow: (limit) => {
    assert(Number.isInteger(limit) && limit >= 1 && limit <= 2 ** 32, "a limit is from 1 to 2^32");
    return randomInt(limit);
  },
};
