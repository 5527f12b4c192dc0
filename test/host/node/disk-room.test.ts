import { expect, test } from "vitest";
import { freeDiskBytes } from "#src/host/node/disk-room.ts";
import { temporaryFolder } from "./temporary-folder.ts";

test("a disk says how much room it has", () => {
  expect(freeDiskBytes(temporaryFolder())).toBeGreaterThan(0);
});

test("where nothing is there is no room either", () => {
  expect(() => freeDiskBytes("/nowhere/at/all")).toThrow("ENOENT");
});
