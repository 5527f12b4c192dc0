import { expect, test } from "vitest";
import { shareOf } from "#test/long-share.ts";
import { liveAmongForgers } from "./forgers.ts";

// It begins where the short suite ends.
test("fault 33: parts of aggregates that were altered at will, with checksums that fit, are taken or refused, and no more", async () => {
  const count = shareOf(1000);
  expect(await liveAmongForgers(50, count)).toBeGreaterThan(count / 3);
});
