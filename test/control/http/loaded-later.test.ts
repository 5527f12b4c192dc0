import { expect, test } from "vitest";
import { LoadedLater } from "#src/control/http/loaded-later.ts";

test("it is loaded once, for all who ask, and what failed is tried again", async () => {
  let count = 0;
  const later = new LoadedLater(async () => {
    if (++count === 1) throw new Error("too many open files");
    return { count };
  });
  const failed = await Promise.allSettled([later.get(), later.get()]);
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  const [one, other] = await Promise.all([later.get(), later.get()]);
  expect(one).toBe(other);
  expect(await later.get()).toEqual({ count: 2 });
});
