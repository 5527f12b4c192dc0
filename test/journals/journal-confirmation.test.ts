import { expect, test } from "vitest";
import { confirmSealed } from "#src/journals/journal-confirmation.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { wholeJournal } from "#src/journals/journal-start.ts";
import type { MetadataRecord } from "#src/journals/metadata-entry.ts";
import { foldPieces } from "#src/journals/piece-fold.ts";
import type { PieceLink } from "#src/journals/sealed-piece-format.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { idleControl } from "#test/synth/snapshot-world.ts";
import { journalIdentity, newJournal, SealingWorld, writeUnit } from "./sealing-world.ts";

async function sealedWorld(): Promise<SealingWorld> {
  const world = new SealingWorld();
  for (const count of [40, 40, 40]) {
    world.write(count);
    const sealer = await world.sealer();
    while ((await sealer.sealNext(world.lastSeq, 1)) !== undefined);
  }
  return world;
}

function confirm(
  world: SealingWorld,
  folder: string,
  firstSeq = 1,
  lastSeq = world.lastSeq,
  expired: PieceLink | undefined = undefined,
) {
  const place = { files: world.host.files, objects: world.objects, key: undefined, expired };
  return confirmSealed(place, { ...journalIdentity, folder, start: wholeJournal, firstSeq, lastSeq });
}

test("what the store has just as the journal is confirmed, with where a journal begins without it", async () => {
  const world = await sealedWorld();
  const last = world.units.at(-1)?.records.at(-1);
  const { seq, epoch, timeMicros } = last as MetadataRecord;
  expect(await confirm(world, "/g")).toEqual({ seq, epoch, timeMicros });
  const unit = world.units[57];
  const lastSeq = unit?.records.at(-1)?.seq as number;
  expect((await confirm(world, "/g", world.units[30]?.firstSeq, lastSeq)).seq).toBe(lastSeq);
});

test("a record that the store has otherwise in any of its fields is not confirmed", async () => {
  const world = await sealedWorld();
  const index = world.units.findIndex(({ records, isAggregate }) => !isAggregate && (records[0]?.address ?? 0) > 0);
  const changes: readonly ((record: MetadataRecord) => Partial<MetadataRecord>)[] = [
    ({ address }) => ({ address: address + 1 }),
    ({ startBlock }) => ({ startBlock: startBlock + 1 }),
    ({ blockCount }) => ({ blockCount: blockCount + 1 }),
    ({ volume }) => ({ volume: volume + 1 }),
    ({ ordinal }) => ({ ordinal: ordinal + 1 }),
  ];
  for (const [number, change] of changes.entries()) {
    const folder = new JournalFolder(`/other-${number}`);
    const journal = newJournal(world.host, folder);
    for (const [at, unit] of world.units.entries()) {
      const [first, ...others] = unit.records as [MetadataRecord, ...MetadataRecord[]];
      const records = at === index ? [{ ...first, ...change(first) }, ...others] : unit.records;
      writeUnit(journal, { ...unit, records });
    }
    await expect(confirm(world, folder.path), String(change)).rejects.toThrow("is not record");
  }
});

test("records that the store does not have, or the journal, are not confirmed", async () => {
  const world = await sealedWorld();
  const sealedSeq = world.lastSeq;
  world.write(5);
  await expect(confirm(world, "/g")).rejects.toThrow(`is not record ${sealedSeq + 1}`);
  await expect(confirm(world, "/g", 1, world.lastSeq + 1)).rejects.toThrow(/is not record|cannot be read/);
});

test("what is expired counts as stored, and the rest is compared, from the piece on that follows just it", async () => {
  const world = await sealedWorld();
  const pieces = await world.pieces();
  const [first, second] = pieces.map(({ link }) => link) as [PieceLink, PieceLink];
  await world.objects.remove(pieces[0]?.name ?? "");
  await expect(confirm(world, "/g")).rejects.toThrow("the store has nothing of the records from 1");
  expect((await confirm(world, "/g", 1, world.lastSeq, first)).seq).toBe(world.lastSeq);
  expect((await confirm(world, "/g", 1, first.lastSeq, first)).seq).toBe(first.lastSeq);
  // It has not been removed yet.
  expect((await confirm(world, "/g", 1, world.lastSeq, second)).seq).toBe(world.lastSeq);
  const other = { ...first, hash: Buffer.alloc(first.hash.length) };
  await expect(confirm(world, "/g", 1, world.lastSeq, other)).rejects.toThrow("behind another one of the same records");
  await expect(confirm(world, "/g", 1, world.lastSeq, { ...first, lastEpoch: 0 })).rejects.toThrow("is not record 1");
  const sealedSeq = world.lastSeq;
  world.write(5);
  await expect(confirm(world, "/g", 1, world.lastSeq, first)).rejects.toThrow(`is not record ${sealedSeq + 1}`);
});

test("what was folded counts as stored, and the rest is compared", async () => {
  const world = await sealedWorld();
  const pieces = await world.pieces();
  const rule = { level: 3600, keepsPoint: () => false, keepsMark: () => true };
  const publish = <Done>(finish: () => Promise<Done>): Promise<Done> => finish();
  const parts = {
    objects: world.objects,
    randomness: new SeededRandom(1),
    key: undefined,
    group: journalIdentity.group,
  };
  const order = { pieces: pieces.slice(0, 2), rule, nowMicros: 1, publish, control: idleControl };
  expect(await foldPieces(parts, order)).toBe("folded");
  expect((await confirm(world, "/g")).seq).toBe(world.lastSeq);
  const sealedSeq = world.lastSeq;
  world.write(5);
  await expect(confirm(world, "/g")).rejects.toThrow(`is not record ${sealedSeq + 1}`);
});
