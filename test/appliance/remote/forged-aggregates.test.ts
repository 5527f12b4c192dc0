import { expect, test } from "vitest";
import { liveAmongForgers } from "./forgers.ts";

test("fault 33: parts of aggregates that were altered at will, with checksums that fit, are taken or refused, and no more", async () => {
  expect(await liveAmongForgers(0, 50)).toBeGreaterThan(16);
});
