import { expect, test } from "vitest";
import { parseNbdOptions } from "./nbd-options.ts";

const caseNames = (...programArguments: string[]) => parseNbdOptions(programArguments).cases.map((one) => one.name);

test("without options all is measured, and may be published", () => {
  const options = parseNbdOptions([]);
  expect(options.places).toEqual(["tmpfs", "disk", "cold"]);
  expect(options.peers).toEqual(["nbdkit", "qemu-nbd"]);
  expect(options.isWhole).toBe(true);
});

test.each([
  ["--rounds", "6"],
  ["--seconds", "1"],
  ["--only", "tmpfs,disk"],
  ["--cases", "random-read"],
  ["--peers", "nbdkit"],
])("a run cut short by %s is not published", (...programArguments) => {
  expect(parseNbdOptions(programArguments).isWhole).toBe(false);
});

test("a longer run, and one with its files elsewhere, may be published", () => {
  expect(parseNbdOptions(["--rounds", "9", "--seconds", "5", "--disk", "elsewhere"]).isWhole).toBe(true);
});

test("a place brings the cases that are measured there", () => {
  expect(caseNames("--only", "cold")).toEqual(["cold-random-read"]);
  expect(caseNames("--only", "disk")).not.toContain("cold-random-read");
});

test("cases are taken once, in their own order", () => {
  const wanted = "single-read,random-write,single-read";
  expect(caseNames("--cases", wanted)).toEqual(["random-write", "single-read"]);
});

test("a place in which none of the cases is measured is left out", () => {
  expect(parseNbdOptions(["--cases", "random-read"]).places).toEqual(["tmpfs", "disk"]);
});

test("the crowd is measured in memory only", () => {
  expect(parseNbdOptions(["--cases", "crowd"])).toMatchObject({ crowd: true, cases: [], places: [] });
  expect(parseNbdOptions(["--only", "disk"]).crowd).toBe(false);
  expect(() => parseNbdOptions(["--only", "disk", "--cases", "crowd"])).toThrow("none of these cases");
});

test.each([
  [["--only", "floppy"], "--only takes tmpfs, disk, cold, not 'floppy'"],
  [["--cases", "cold-random-read", "--only", "tmpfs"], "none of these cases"],
  [["--peers", "tidemark"], "--peers takes nbdkit, qemu-nbd"],
  [["--rounds", "0"], "--rounds must be a whole number"],
  [["--fast"], "--fast"],
  [["tmpfs"], "'tmpfs' is no option"],
])("%j is wrong use", (programArguments, message) => {
  expect(() => parseNbdOptions(programArguments)).toThrow(message);
});
