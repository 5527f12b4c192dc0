/** What is told of all histories of a store, also where one of them is damaged. */
import { expect, test } from "vitest";
import { KeptHistories } from "#src/control/kept-histories.ts";
import { sealedPieceName } from "#src/journals/sealed-piece-format.ts";
import { noReserve } from "#src/store/space-reserve.ts";
import { pieceGroup } from "#test/journals/sealed-pieces.ts";
import { HistoryWorld } from "#test/synth/history-world.ts";

const otherGroup = "f".repeat(32);

test("a damaged piece of one group hides nothing of the others", async () => {
  const world = await HistoryWorld.make(3);
  await world.run(world.open());
  for (let count = 0; count < 2; count++) await world.run(world.seal(6));
  const { clock, randomness } = world.host;
  const { objects } = world;
  const kept = new KeptHistories({
    ...{ machine: { clock, randomness }, objects, key: undefined, reserve: noReserve },
    keepMs: Number.POSITIVE_INFINITY,
    ageing: { steps: [], marks: { quiescedMicros: 0, otherMicros: 0 } },
    room: () => ({ logicalBytes: 1, physicalBytes: 1, freeBytes: 1 }),
  });
  const [alone] = await world.run(kept.windows());
  expect(alone).toMatchObject({ group: pieceGroup, fromSeq: 0, oldestMicros: expect.any(Number) });
  const writer = objects.create(sealedPieceName({ group: otherGroup, firstSeq: 1 }));
  await world.run(writer.write(Buffer.alloc(5000, "?")));
  await world.run(writer.finish());
  const { forecast: _, ...facts } = alone ?? expect.unreachable("there is one");
  expect(await world.run(kept.windows())).toEqual([facts, { group: otherGroup, fromSeq: 0 }]);
});
