/** The same over many seeds. */
import { expect, test } from "vitest";
import { shareOf } from "#test/long-share.ts";
import { needPowerDisks } from "./power-disk.ts";
import { cutStoreAtWork } from "./store-trial.ts";

needPowerDisks();

const seeds = Array.from({ length: shareOf(15) }, (_, index) => 2000 + index);

test.each(["ext4", "xfs"] as const)(
  "fault 10: objects on %s are whole or not there, wherever the power goes",
  async (kind) => {
    for (const seed of seeds) {
      const remains = await cutStoreAtWork(seed, kind);
      expect(remains, `seed ${seed}`).toMatchObject({ lost: [], returned: [], broken: [], leftovers: [] });
      expect(remains.documentFound, `seed ${seed}`).toBeGreaterThanOrEqual(remains.documentSaid);
    }
  },
);
