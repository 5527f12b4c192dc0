import { expect, test } from "vitest";
import { chosen } from "./selection.ts";

test("names are taken once, in the order that is known", () => {
  expect(chosen("--only", "b,a,b", ["a", "b", "c"])).toEqual(["a", "b"]);
});

test("an unknown name is wrong use", () => {
  expect(() => chosen("--only", "a,x", ["a", "b"])).toThrow("--only takes a, b, not 'x'");
});
