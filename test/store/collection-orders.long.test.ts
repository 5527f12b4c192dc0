import { expect, test } from "vitest";
import { oneIn } from "#test/long-share.ts";
import { begunWorks } from "./collection-orders.ts";
import { everyOrder } from "./orders.ts";

// A part of all orders would show nothing that the short suite does not.
test.runIf(oneIn === 1)(
  "in every order of a collection, a sealing and a read nothing that is needed is lost",
  async () => {
    const { orderCount, failure } = await everyOrder(() => begunWorks(["collection", "seal", "reader"], "coarse"));
    expect(failure).toBe(undefined);
    expect(orderCount).toBeGreaterThan(300);
  },
);
