import { expect, test } from "vitest";
import { extraNames } from "./path-cases.ts";
import { parsePathOptions } from "./path-options.ts";

test("without options all is measured, and may be published", () => {
  const options = parsePathOptions([]);
  expect(options.places).toEqual(["tmpfs", "disk"]);
  expect(options.extras).toEqual([...extraNames]);
  expect(options.contenders).toContain("mirror blocking");
  expect(options.isPublished).toBe(true);
});

test("a run of some cases is published when it is told to", () => {
  expect(parsePathOptions(["--cases", "memory"]).isPublished).toBe(false);
  expect(parsePathOptions(["--only", "tmpfs"]).isPublished).toBe(false);
  expect(parsePathOptions(["--cases", "memory", "--publish"]).isPublished).toBe(true);
});

test.each([
  ["--rounds", "2"],
  ["--seconds", "1"],
  ["--peers", "nbdkit"],
  ["--sustained", "2"],
  ["--copied", "9"],
])("a run cut short by %s is not published", (...programArguments) => {
  expect(parsePathOptions(programArguments).isPublished).toBe(false);
  expect(() => parsePathOptions([...programArguments, "--publish"])).toThrow("measured in full");
});

test("both of our modes are always measured, whatever peers are beside them", () => {
  const { contenders } = parsePathOptions(["--peers", "mirror-blocking"]);
  expect(contenders).toEqual(["tidemark async", "tidemark sync", "mirror blocking"]);
});

test("what is measured in one place only goes with that place", () => {
  expect(parsePathOptions(["--only", "tmpfs"]).extras).toEqual(["volumes", "hot-spot", "thin-link", "beside-sealing"]);
  expect(parsePathOptions(["--only", "disk", "--cases", "memory,volumes"]).extras).toEqual(["memory"]);
});

test.each([
  [["--only", "cold"], "--only takes tmpfs, disk, not 'cold'"],
  [["--cases", "random-read"], "--cases takes random-write"],
  [["--peers", "qemu-nbd"], "--peers takes nbdkit, mirror-background, mirror-blocking"],
  [["--seconds", "11"], "--seconds must be a whole number from 1 to 10"],
  [["--only", "tmpfs", "--cases", "memory"], "none of these cases"],
  [["tmpfs"], "'tmpfs' is no option"],
])("%j is wrong use", (programArguments, message) => {
  expect(() => parsePathOptions(programArguments)).toThrow(message);
});
