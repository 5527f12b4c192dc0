/** What is kept of volumes, and who is told to be over his quota. */
import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { readinessOf } from "#src/control/readiness.ts";
import { keptVolumes, keptVolumesLine, quotaTroubles } from "#src/control/volume-quotas.ts";
import { volumeUseToldMax } from "#src/core/store-limits.ts";
import type { CollectionDocument } from "#src/store/collection-document.ts";
import { noNames } from "#src/store/scrub-finding.ts";

const group = "ab".repeat(16);
const madeMicros = Date.UTC(2031, 4, 17) * 1000;
const plan = { neededBytes: 0, segments: [], sums: [], left: [] };
const GiB = 2 ** 30;

function documentOf(...blockCounts: readonly number[]): CollectionDocument {
  const use = blockCounts.map((blockCount, index) => ({ group, volume: index + 1, blockCount }));
  return { state: "ended", madeMicros, plan, outcome: undefined, use };
}

const names = { group: () => "main", volume: (_: string, number: number) => ["disk", "db"][number - 1] };

function quotasOf(...assignments: readonly string[]) {
  return loadConfig({ environment: {}, assignments, folder: "/" }).config.store;
}

test("a volume that keeps more than its own quota, or than that of all, is told of, and comes first", () => {
  const quotas = quotasOf("store.quota=1G", "store.quotas=disk 4G, db 1T");
  const kept = keptVolumes(documentOf((3 * GiB) / 4096, (2 * GiB) / 4096, (1.5 * GiB) / 4096), names, quotas);
  expect(quotaTroubles(kept)).toEqual([
    "the store keeps 1.5 GiB, and its quota is 1.0 GiB, of volume 3 of group main: nothing is refused for that",
  ]);
  expect(keptVolumesLine(kept)).toBe(
    "kept, with all duplicates, as of 2031-05-17T00:00:00Z: 1.5 GiB of 1.0 GiB of 3 (main), 3.0 GiB of 4.0 GiB of disk (main), " +
      "2.0 GiB of 1.0 TiB of db (main)",
  );
  const work = { silent: [], volumes: [], groups: [], remoteGroups: [] };
  const store = { jobTroubles: [], state: { kept, scrub: { findings: 0 } } as never };
  expect(readinessOf({ ...work, store })).toEqual({ obstacles: [], problems: quotaTroubles(kept) });
});

test("nobody is over a quota that is off, and nothing is told that was not looked at", () => {
  const quotas = quotasOf("store.quota=1M", "store.quotas=disk off");
  expect(quotaTroubles(keptVolumes(documentOf(2 ** 30), names, quotas))).toEqual([]);
  expect(quotaTroubles(keptVolumes(documentOf(2 ** 30), names, quotasOf()))).toEqual([]);
  expect(keptVolumes({ state: "planned", madeMicros, plan, outcome: undefined }, names, quotas)).toBeUndefined();
  expect([quotaTroubles(undefined), keptVolumesLine(undefined)]).toEqual([[], undefined]);
});

test("of many volumes so many are told as are worth it, and how many more there are", () => {
  const kept = keptVolumes(documentOf(...Array.from({ length: 100 }, () => 5)), noNames, quotasOf());
  expect([kept?.volumes.length, kept?.unlistedCount]).toEqual([volumeUseToldMax, 100 - volumeUseToldMax]);
  expect(keptVolumesLine(kept)).toMatch(/ of 8 \([0-9a-f]{32}\), and 92 more$/);
});

test.each(["disk", "disk 2T 3", "disk 1", "di/sk 2T", "disk 2T, disk 3T", ""])("'%s' is no list of quotas", (text) => {
  expect(() => quotasOf(`store.quotas=${text}`)).toThrow("such as disk 2T");
});

test("a list of quotas is printed as it may be written", () => {
  const { quotas } = quotasOf("store.quotas=disk  2048G,db off");
  expect(quotas).toEqual([
    { name: "disk", byteLength: 2 ** 41 },
    { name: "db", byteLength: Number.POSITIVE_INFINITY },
  ]);
});
