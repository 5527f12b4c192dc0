/** What plain batches say comes to the same as what is made of their records one by one. */
import { expect, test } from "vitest";
import { MetadataCursor } from "#src/journals/metadata-cursor.ts";
import { TailRecords } from "#src/synth/tail-records.ts";
import { journalIdentity } from "#test/journals/sealing-world.ts";
import { PointWorld } from "./point-world.ts";

function walked({ host, folder }: PointWorld, isPlain: boolean) {
  const cursor = new MetadataCursor(host.files, folder, journalIdentity, 1);
  if (isPlain) cursor.takePlain();
  const records = new TailRecords();
  let plainCount = 0;
  for (let unit = cursor.next(); unit.finding === "sound"; unit = cursor.next()) {
    if (unit.plain !== undefined) plainCount++;
    records.add(unit);
  }
  cursor.close();
  return { records, plainCount };
}

test.each([1, 2])("plain or not, records are points, tell events and decide on blocks (seed %i)", async (seed) => {
  const world = await PointWorld.make(seed);
  for (let round = 0; round < 6; round++) world.write(20);
  const { records: own, plainCount } = walked(world, true);
  const { records: wanted, plainCount: none } = walked(world, false);
  expect([plainCount > 10, none]).toEqual([true, 0]);
  expect(own.events).toEqual(wanted.events);
  expect([...own.volumeNumbers]).toEqual([...wanted.volumeNumbers]);
  expect([own.recordCount, own.firstPoint, own.lastPoint]).toEqual([
    ...[wanted.recordCount, wanted.firstPoint, wanted.lastPoint],
  ]);
  for (const [index, { seq }] of world.records.entries()) {
    expect(own.pointUpTo(seq)).toEqual(wanted.pointUpTo(seq));
    if (index % 37 !== 0) continue;
    for (const volume of wanted.volumeNumbers) {
      const rows = [own, wanted].map((one) => [...one.rowsUpTo(volume, seq).extents(volume)]);
      expect(rows[0]).toEqual(rows[1]);
    }
  }
});
