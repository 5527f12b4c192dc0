import { expect, test } from "vitest";
import { KeptPages } from "#src/synth/kept-pages.ts";

function page() {
  return {
    isUsed: false,
    isThere: true,
    drop() {
      this.isThere = false;
    },
  };
}

test("what was used since it was last looked at stays, and bytes are bounded", () => {
  const kept = new KeptPages(10_000);
  const pages = Array.from({ length: 100 }, page);
  const [favourite] = pages as [ReturnType<typeof page>];
  for (const one of pages) {
    kept.add(one, 800);
    favourite.isUsed = true;
    expect(kept.heldBytes).toBeLessThanOrEqual(10_000);
  }
  expect(favourite.isThere).toBe(true);
  expect(pages.filter(({ isThere }) => isThere)).toHaveLength(10);
});

test("one that is larger than all that is allowed is there until the next one comes", () => {
  const kept = new KeptPages(1000);
  const [large, next] = [page(), page()];
  kept.add(large, 5000);
  expect(large.isThere).toBe(true);
  kept.add(next, 10);
  large.isUsed = false;
  kept.add(page(), 10);
  expect(large.isThere).toBe(false);
  expect(kept.heldBytes).toBeLessThanOrEqual(1000);
});
