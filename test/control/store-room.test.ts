import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { reserveOf } from "#src/control/store-room.ts";
import { GiB, KiB, MiB } from "#src/core/limits.ts";
import { Simulation } from "#test/sim/simulation.ts";

const folder = "/objects";

/** What is lacking of the reserve of a large store with so many segments, in whose folder is one of so many bytes. */
function lackingBytes(reserve: string, segmentCount: number, heldBytes = 0): number {
  const machine = new Simulation(1).host("a");
  machine.files.makeFolder(folder);
  const held = machine.files.create(join(folder, ".reserve"));
  held.truncateNow(heldBytes);
  held.close();
  const assignments = ["data=/data", `store.collect.reserve=${reserve}`];
  const { config } = loadConfig({ environment: {}, assignments, folder: "/" });
  const settings = { config, folder, indexFolder: "/index", isIndexSuspect: false, wrappingKey: undefined };
  const sizes = { segmentCount, logicalBytes: 0, uniqueBytes: 0, physicalBytes: 100 * GiB, damagedBlocks: 0 };
  return reserveOf(machine, settings, { sizes }, { count: segmentCount }).lackingBytes;
}

test("fault 16: room is held back for the marks of a collection too, where memory has none for all", () => {
  expect(lackingBytes("1M", 4096)).toBe(1 * MiB);
  expect(lackingBytes("1M", 4097)).toBe(1 * MiB + 4097 * 16 * KiB);
  expect(lackingBytes("0", 4097)).toBe(0);
});

test("fault 16: a reserve that is as large as the store needs is not cut when it is opened again", () => {
  expect(lackingBytes("1M", 5000, 60 * MiB)).toBe(1 * MiB + 5000 * 16 * KiB - 60 * MiB);
});
