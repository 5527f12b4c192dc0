import { expect, test } from "vitest";
import { ModeHistory } from "#src/appliance/local/mode-history.ts";

test("a record is under the mode that was last switched to before it", () => {
  const history = new ModeHistory("async", [
    { seq: 10, to: "aggregated" },
    { seq: 20, to: "sync" },
  ]);
  history.changed({ seq: 30, to: "async" });
  const seqs = [1, 10, 11, 20, 21, 30, 31];
  expect(seqs.map((seq) => history.modeAt(seq))).toEqual([
    "async",
    "async",
    "aggregated",
    "aggregated",
    "sync",
    "sync",
    "async",
  ]);
});

test("what was released is forgotten, and changes nothing for what is left", () => {
  const history = new ModeHistory("async", [
    { seq: 10, to: "aggregated" },
    { seq: 20, to: "sync" },
    { seq: 30, to: "async" },
  ]);
  history.release(20);
  expect([20, 21, 30, 31].map((seq) => history.modeAt(seq))).toEqual(["aggregated", "sync", "sync", "async"]);
  history.release(1000);
  expect(history.modeAt(1001)).toBe("async");
});

test("switches come in the order of the records", () => {
  const history = new ModeHistory("async", [{ seq: 10, to: "aggregated" }]);
  expect(() => history.changed({ seq: 10, to: "sync" })).toThrow("order");
});
