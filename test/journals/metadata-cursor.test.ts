import { expect, test } from "vitest";
import { logFileHeaderBytes } from "#src/core/limits.ts";
import { DirtyFiles } from "#src/journals/dirty-files.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { metadataBatchBytesMax } from "#src/journals/metadata-batch.ts";
import { MetadataCursor } from "#src/journals/metadata-cursor.ts";
import type { MetadataEntry } from "#src/journals/metadata-entry.ts";
import { MetadataJournal } from "#src/journals/metadata-journal.ts";
import { encodeExtra, recordType } from "#src/records/record.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

const identity = { group: "a".repeat(32), incarnation: 7 };
const pieceBytes = logFileHeaderBytes + metadataBatchBytesMax;
const noExtra = Buffer.alloc(0);

function entryOf(epoch: number, seq: number, change: Partial<MetadataEntry> = {}): MetadataEntry {
  const place = { startBlock: 0, address: 0, blockCount: 1, ordinal: seq, level: 0, extraBytes: 0 };
  return { type: recordType.trim, volume: 1, seq, epoch, timeMicros: seq, ...place, ...change };
}

class World {
  readonly host: SimHost = new Simulation(1).host("a");
  readonly folder = new JournalFolder("/g");
  #journal: MetadataJournal;

  constructor() {
    this.folder.makeNow(this.host.files);
    this.#journal = this.#begin(0, 1);
  }

  #begin(endPosition: number, expectedSeq: number): MetadataJournal {
    const { folder, host } = this;
    const parts = { files: host.files, folder, ...identity, pieceBytes, dirty: new DirtyFiles(host.files) };
    return new MetadataJournal({ ...parts, durableSeq: () => 0 }, endPosition, expectedSeq);
  }

  /** As after a start. */
  again(endPosition: number, expectedSeq: number): void {
    this.#journal = this.#begin(endPosition, expectedSeq);
  }

  /** Records of one batch. */
  write(epoch: number, ...seqs: readonly number[]): void {
    for (const seq of seqs) this.#journal.add(entryOf(epoch, seq), noExtra, 0);
    this.#journal.write();
  }

  jump(epoch: number, seq: number, previousEpoch: number, previousLastSeq: number): void {
    const extra = encodeExtra({ previousEpoch, previousLastSeq });
    this.#journal.add(entryOf(epoch, seq, { type: recordType.epoch, extraBytes: extra.length }), extra, 0);
    this.#journal.write();
  }

  /** The first and last seqs of the batches, and why there are no more. */
  walk(fromSeq = 1): (string | number)[] {
    const cursor = new MetadataCursor(this.host.files, this.folder, identity, fromSeq);
    const seen: (string | number)[] = [];
    for (let found = cursor.next(); ; found = cursor.next()) {
      if (found.finding !== "sound") {
        cursor.close();
        return [...seen, found.finding];
      }
      seen.push(...found.records.map(({ seq }) => seq));
    }
  }
}

test("batches are walked in their order, to their end", () => {
  const world = new World();
  world.write(1, 1, 2);
  world.write(1, 3);
  expect(world.walk()).toEqual([1, 2, 3, "nothing"]);
});

test("without a piece there is nothing", () => {
  expect(new World().walk()).toEqual(["nothing"]);
});

test("a gap within an epoch ends the walk", () => {
  const world = new World();
  world.write(1, 1);
  world.write(1, 3);
  expect(world.walk()).toEqual([1, "gap"]);
});

test("what comes again ends the walk", () => {
  const world = new World();
  world.write(1, 1, 2);
  world.write(1, 2);
  expect(world.walk()).toEqual([1, 2, "gap"]);
});

test("an epoch is walked into where its record says that it follows what is there, or less", () => {
  const world = new World();
  world.write(1, 1, 2, 3);
  world.jump(2, 10, 1, 3);
  world.jump(5, 20, 4, 1);
  expect(world.walk()).toEqual([1, 2, 3, 10, 20, "nothing"]);
});

test.each<[string, (world: World) => void, string]>([
  ["whose record follows more than is there", (world) => world.jump(3, 10, 2, 4), "foreignEpoch"],
  ["that has no record", (world) => world.write(3, 4), "foreignEpoch"],
  ["that is earlier", (world) => world.jump(1, 10, 0, 3), "foreignEpoch"],
  ["that takes seqs that are taken", (world) => world.jump(3, 3, 2, 2), "gap"],
])("an epoch %s ends the walk", (_, write, finding) => {
  const world = new World();
  world.jump(2, 1, 1, 0);
  world.write(2, 2, 3);
  write(world);
  expect(world.walk()).toEqual([1, 2, 3, finding]);
});

test("the walk goes on in the next piece, whatever is left in the one before", () => {
  const world = new World();
  world.write(1, 1, 2);
  world.again(pieceBytes, 3);
  world.write(1, 3);
  const handle = world.host.files.open(world.folder.piecePath(0), "readWrite");
  handle.writeNow(Buffer.alloc(700, 0x55), 0, 700, handle.sizeBytesNow());
  expect(world.walk()).toEqual([1, 2, 3, "nothing"]);
});

test("the walk does not go on in a piece that begins with another record", () => {
  const world = new World();
  world.write(1, 1, 2);
  world.again(pieceBytes, 4);
  world.write(1, 4);
  expect(world.walk()).toEqual([1, 2, "nothing"]);
});

test("the walk begins in the piece that holds the record asked for", () => {
  const world = new World();
  world.write(1, 1, 2);
  world.again(pieceBytes, 3);
  world.write(1, 3);
  world.again(2 * pieceBytes, 4);
  world.write(1, 4);
  expect([world.walk(2), world.walk(3), world.walk(4), world.walk(9)]).toEqual([
    [1, 2, 3, 4, "nothing"],
    [3, 4, "nothing"],
    [4, "nothing"],
    [4, "nothing"],
  ]);
});

test("a full piece is left for a new one, and no batch lies across two", () => {
  const world = new World();
  const seqs = Array.from({ length: 3000 }, (_, index) => index + 1);
  world.write(1, ...seqs);
  expect(world.folder.pieces(world.host.files).length).toBeGreaterThan(2);
  expect(world.walk()).toEqual([...seqs, "nothing"]);
});

test("a piece of another group or journal is refused", () => {
  const world = new World();
  world.write(1, 1);
  for (const other of [
    { ...identity, incarnation: 8 },
    { ...identity, group: "b".repeat(32) },
  ]) {
    expect(() => new MetadataCursor(world.host.files, world.folder, other, 1).next()).toThrow(/belongs to/);
  }
});
