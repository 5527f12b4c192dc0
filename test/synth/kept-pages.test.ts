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

test("what nobody asks for any more gives back its bytes, and is not looked at again", () => {
  const kept = new KeptPages(10_000);
  const pages = Array.from({ length: 5 }, () => Object.assign(page(), { isGone: false }));
  for (const one of pages) kept.add(one, 800);
  const gone = pages.slice(1, 4);
  for (const one of gone) one.isGone = true;
  kept.dropGone();
  expect(pages.map(({ isThere }) => isThere)).toEqual([true, false, false, false, true]);
  expect(kept.heldBytes).toBe(2000);
  for (let count = 0; count < 20; count++) kept.add(page(), 800);
  expect(kept.heldBytes).toBeLessThanOrEqual(10_000);
});
