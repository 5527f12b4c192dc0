import { expect, test } from "vitest";
import { FrameCache } from "#src/store/frame-cache.ts";

function keep(cache: FrameCache, key: number, text: string): void {
  const place = cache.lend() as number;
  cache.keep(place, key, cache.roomOf(place).write(text));
}

function held(cache: FrameCache, key: number): string | undefined {
  const place = cache.find(key);
  return place === undefined ? undefined : cache.roomOf(place).toString("utf8", 0, cache.sizeOf(place));
}

test("what was kept is found, and one that nobody has asked for makes way", () => {
  const cache = new FrameCache({ frameBytesMax: 8, limitBytes: 31 });
  for (const key of [1, 2, 3]) keep(cache, key, `of ${key}`);
  expect(held(cache, 1)).toBe("of 1");
  keep(cache, 4, "of 4");
  expect([1, 2, 3, 4].map((key) => held(cache, key))).toEqual(["of 1", undefined, "of 3", "of 4"]);
  expect(cache.heldBytes).toBe(24);
});

test("of many, those that are asked for again and again stay", () => {
  const cache = new FrameCache({ frameBytesMax: 8, limitBytes: 8 * 100 });
  for (let key = 0; key < 2000; key++) {
    keep(cache, key, `${key}`);
    for (const wanted of [3, 50]) if (wanted <= key) expect(held(cache, wanted)).toBe(String(wanted));
  }
  const heldKeys = Array.from({ length: 2000 }, (_, key) => key).filter((key) => held(cache, key) === String(key));
  expect(heldKeys).toHaveLength(100);
  expect(cache.heldBytes).toBe(800);
});

test("what is lent is nobody else's, and where all is lent there is nothing to be had", () => {
  const cache = new FrameCache({ frameBytesMax: 8, limitBytes: 16 });
  keep(cache, 1, "of 1");
  const [first, second] = [cache.lend() as number, cache.lend() as number];
  expect(first).not.toBe(second);
  expect(held(cache, 1)).toBe(undefined);
  expect(cache.lend()).toBe(undefined);
  cache.giveBack(second);
  keep(cache, 2, "of 2");
  cache.roomOf(first).fill(0xff);
  expect(held(cache, 2)).toBe("of 2");
});

test("two who read the same at the same time leave one of it, and lose no place", () => {
  const cache = new FrameCache({ frameBytesMax: 8, limitBytes: 16 });
  const [first, second] = [cache.lend() as number, cache.lend() as number];
  for (const place of [first, second]) cache.keep(place, 7, cache.roomOf(place).write("same"));
  expect(held(cache, 7)).toBe("same");
  keep(cache, 8, "of 8");
  expect(held(cache, 7)).toBe("same");
  expect(held(cache, 8)).toBe("of 8");
});
