import { expect, test } from "vitest";
import { begunWorks, type Omissions, type OrderedActor } from "./collection-orders.ts";
import { everyOrder } from "./orders.ts";

/** The first actor's steps come as early as they can at first, and ever later: so who that is decides how soon a failure is found. */
async function failureOf(actors: readonly OrderedActor[], omissions: Omissions = {}): Promise<string | undefined> {
  const { orderCount, failure } = await everyOrder(() => begunWorks(actors, "fine", omissions));
  if (failure === undefined) expect(orderCount).toBeGreaterThan(50);
  return failure;
}

test("in every order of a collection and a sealing that finds a dying block again, nothing that is needed is lost", async () => {
  expect(await failureOf(["collection", "seal"])).toBe(undefined);
});

test("in every order of a collection and a read, what was there when it began is read", async () => {
  expect(await failureOf(["collection", "reader"])).toBe(undefined);
});

test("an order is found that loses a block where seals may point to it until the next generation is there", async () => {
  expect(await failureOf(["seal", "collection"], { holdsNothingBack: true })).toContain("was sealed meanwhile");
});

test("an order is found that loses a block where a seal that began before is not waited for", async () => {
  expect(await failureOf(["seal", "collection"], { overtakesSeals: true })).toContain("was sealed meanwhile");
});

test("an order is found that loses a block where it is not looked again what is needed", async () => {
  expect(await failureOf(["seal", "collection"], { looksOnce: true })).toContain("was sealed meanwhile");
});

test("an order is found that loses a block where seals may point to it as soon as the next generation is there", async () => {
  expect(await failureOf(["collection", "seal"], { releasesEarly: true })).toContain("was sealed meanwhile");
});

test("an order is found that fails a read where an older generation goes at once", async () => {
  expect(await failureOf(["collection", "reader"], { hasNoGrace: true })).toContain("who began before");
});
