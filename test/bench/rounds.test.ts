import { expect, test } from "vitest";
import { interleave, median, ratioOf, turnOrder } from "./rounds.ts";

test("each participant begins in its turn", () => {
  const orders = [0, 1, 2, 3].map((round) => turnOrder(["a", "b", "c"], round).join(""));
  expect(orders).toEqual(["abc", "bca", "cab", "abc"]);
});

test("every round measures everybody once, one after the other", async () => {
  const log: string[] = [];
  await interleave(["a", "b"], { rounds: 3, warmUpRounds: 0 }, async (name, round) => {
    log.push(`${name}${round} begins`);
    await Promise.resolve();
    log.push(`${name}${round} ends`);
  });
  const turns = ["a0", "b0", "b1", "a1", "a2", "b2"];
  expect(log).toEqual(turns.flatMap((turn) => [`${turn} begins`, `${turn} ends`]));
});

test("warm-up rounds are run and not counted", async () => {
  let runs = 0;
  const series = await interleave(["a", "b"], { rounds: 2, warmUpRounds: 1 }, async (name, round) => {
    runs++;
    return `${name}${round}`;
  });
  expect(runs).toBe(6);
  expect([...series]).toEqual([
    ["a", ["a1", "a2"]],
    ["b", ["b1", "b2"]],
  ]);
});

test("a failed measurement ends the run", async () => {
  const failing = interleave(["a"], { rounds: 2, warmUpRounds: 0 }, () => Promise.reject(new Error("no server")));
  await expect(failing).rejects.toThrow("no server");
});

test("the median of an odd number of values is the middle one, whatever their order", () => {
  expect(median([100, 9, 20])).toBe(20);
});

test("the median of an even number of values lies between the two in the middle", () => {
  expect(median([4, 1, 3, 100])).toBe(3.5);
});

test("nothing has no median", () => {
  expect(() => median([])).toThrow("no median");
});

test("a ratio compares medians, and its spread compares round by round", () => {
  expect(ratioOf([30, 10, 20], [10, 10, 40])).toEqual({ ofMedians: 2, lowest: 0.5, highest: 3 });
});

test("series of different length are not compared", () => {
  expect(() => ratioOf([1, 2], [1])).toThrow("different rounds");
});
