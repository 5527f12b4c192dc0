import { expect, test } from "vitest";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { sealedRecords } from "#src/journals/sealed-records.ts";
import { listOf, pieceGroup } from "./sealed-pieces.ts";
import { SealingWorld } from "./sealing-world.ts";

async function sealedWorld(): Promise<SealingWorld> {
  const world = new SealingWorld();
  for (const count of [40, 40, 40]) {
    world.write(count);
    const sealer = await world.sealer();
    while ((await sealer.sealNext(world.lastSeq, 1)) !== undefined);
  }
  return world;
}

function records(world: SealingWorld, afterSeq = 0): Promise<JournalRecord[]> {
  return listOf(sealedRecords({ objects: world.objects, group: pieceGroup, key: undefined }, afterSeq));
}

test("all records come in their order, from whichever place on", async () => {
  const world = await sealedWorld();
  const all = await world.sealed();
  expect(await records(world)).toEqual(all);
  for (const unit of [world.units[1], world.units[39], world.units[40], world.units[90]]) {
    const afterSeq = unit?.records.at(-1)?.seq as number;
    const behind = (all as JournalRecord[]).filter(({ seq }) => seq > afterSeq);
    expect(await records(world, afterSeq), `behind ${afterSeq}`).toEqual(behind);
  }
  expect(await records(world, world.lastSeq)).toEqual([]);
});

test("where a piece is missing that is said, and no record behind it is given for the next one", async () => {
  const world = await sealedWorld();
  const [first, second] = (await world.pieces()).map(({ name }) => name) as [string, string];
  await world.objects.remove(second);
  await expect(records(world)).rejects.toThrow("does not follow the piece before");
  await world.objects.remove(first);
  await expect(records(world)).rejects.toThrow(/the store has nothing of the records from 1 to \d+/);
});
