/** A folder of objects on real file systems, whose disk loses its power. */
import { expect, test } from "vitest";
import { needPowerDisks } from "./power-disk.ts";
import { cutStoreAtWork } from "./store-trial.ts";

needPowerDisks();

test.each([
  [1, "ext4"],
  [2, "xfs"],
] as const)(
  "fault 10: objects are whole or not there, and what was promised holds: seed %i, %s",
  async (seed, kind) => {
    const remains = await cutStoreAtWork(seed, kind);
    expect(remains).toMatchObject({ lost: [], returned: [], broken: [], leftovers: [] });
    expect(remains.foundCount).toBeGreaterThan(0);
    expect(remains.documentFound).toBeGreaterThanOrEqual(remains.documentSaid);
  },
);
