/** What is measured of a store's groups for how far back its room reaches. */
import { expect, test } from "vitest";
import { type ForecastParts, storeForecast } from "#src/control/store-forecast.ts";
import { StopError } from "#src/core/errors.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";

const day = 86_400e6;

type History = ForecastParts["histories"][number];

/** A day at every write: a thousand records. Its volume has so many blocks, in two layers. */
function historyOf(blockCounts: readonly number[], newest?: () => never): History {
  const volume = { layers: blockCounts.map((blockCount) => ({ blockCount })), identity: { sizeBytes: 1000 * 4096 } };
  return {
    spanMicros: async () => day,
    levelMeasures: async () => [{ level: 0, recordCount: 1000, spanMicros: day }],
    newestSnapshot: async () => newest?.() ?? { volumes: [volume] },
  } as unknown as History;
}

const ageing = { steps: [], marks: { quiescedMicros: 0, otherMicros: 0 } };
/** Twice as much was written as it takes. */
const room = { logicalBytes: 4000 * 4096, physicalBytes: 2000 * 4096, freeBytes: 3000 * 4096 };
const parts = { room, keepMicros: Number.POSITIVE_INFINITY, ageing };

test("what volumes hold now is taken off in the share that it has of what was written", async () => {
  const forecast = await storeForecast({ ...parts, histories: [historyOf([700, 300])] });
  // A quarter of 2000 blocks is of now, 1500 are of a day.
  expect(forecast?.costs).toMatchObject([{ level: 0, bytesPerDay: 1500 * 4096, isMeasured: true }]);
  expect(forecast?.roomSeconds).toBe(3 * 86_400);
});

test("a volume holds no more than its size, and groups add up", async () => {
  const forecast = await storeForecast({ ...parts, histories: [historyOf([900, 800]), historyOf([500])] });
  expect(forecast?.costs).toMatchObject([{ bytesPerDay: 1250 * 4096 }]);
});

test("a damaged snapshot counts for nothing, and what else goes wrong is told", async () => {
  const damaged = historyOf([], () => {
    throw new ObjectDamageError("snapshots/a", "footer", "it is none");
  });
  expect((await storeForecast({ ...parts, histories: [damaged] }))?.costs).toMatchObject([
    { bytesPerDay: 2000 * 4096 },
  ]);
  const broken = historyOf([], () => {
    throw new StopError("the disk is gone");
  });
  await expect(storeForecast({ ...parts, histories: [broken] })).rejects.toThrow("the disk is gone");
});
