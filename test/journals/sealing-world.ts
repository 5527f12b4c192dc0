/** An open journal over several files, which grows, and pieces of it that are sealed. */
import { logFileHeaderBytes } from "#src/core/limits.ts";
import { DirtyFiles } from "#src/journals/dirty-files.ts";
import { JournalFolder } from "#src/journals/journal-folder.ts";
import { MetadataAggregate } from "#src/journals/metadata-aggregate.ts";
import { metadataBatchBytesMax } from "#src/journals/metadata-batch.ts";
import { MetadataCursor } from "#src/journals/metadata-cursor.ts";
import { MetadataJournal } from "#src/journals/metadata-journal.ts";
import { PieceSealer } from "#src/journals/piece-sealer.ts";
import type { SealedPiece } from "#src/journals/sealed-piece.ts";
import { sealedPieces } from "#src/journals/sealed-piece-chain.ts";
import type { Objects } from "#src/store/objects.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { RandomUnits, type Unit } from "./random-units.ts";
import { listOf, MemoryObjects, pieceGroup } from "./sealed-pieces.ts";

export const journalIdentity = { group: pieceGroup, incarnation: 7 };
const pieceBytes = logFileHeaderBytes + metadataBatchBytesMax;

export class SealingWorld {
  readonly simulation: Simulation;
  readonly host: SimHost;
  readonly folder = new JournalFolder("/g");
  objects: Objects;
  readonly units: Unit[] = [];
  readonly #random = new RandomUnits(new SeededRandom(31));
  #sealerCount = 0;
  readonly #journal: MetadataJournal;

  constructor(simulation = new Simulation(1), objects: Objects = new MemoryObjects()) {
    this.simulation = simulation;
    this.objects = objects;
    this.host = simulation.host("a");
    this.#journal = newJournal(this.host, this.folder);
  }

  get lastSeq(): number {
    return this.units.at(-1)?.records.at(-1)?.seq ?? 0;
  }

  write(count: number): void {
    for (const unit of this.#random.take(count)) {
      writeUnit(this.#journal, unit);
      this.units.push(unit);
    }
  }

  /** As after a start: it goes on behind the newest piece that is there. */
  async sealer(): Promise<PieceSealer> {
    const previous = (await this.pieces()).at(-1)?.link;
    const { objects, host, folder } = this;
    const walkFrom = (seq: number) => new MetadataCursor(host.files, folder, journalIdentity, seq);
    const randomness = new SeededRandom(5 + this.#sealerCount++);
    const unseen = { saw: () => {}, assertWhole: async () => {} };
    return new PieceSealer({ objects, randomness, key: undefined, group: pieceGroup, previous, walkFrom, ...unseen });
  }

  pieces(): Promise<SealedPiece[]> {
    return listOf(sealedPieces(this.objects, pieceGroup, undefined));
  }

  async sealed(): Promise<unknown[]> {
    const records = await Promise.all((await this.pieces()).map((piece) => listOf(piece.records())));
    return records.flat();
  }
}

export function newJournal(host: SimHost, folder: JournalFolder): MetadataJournal {
  folder.makeNow(host.files);
  const parts = { files: host.files, folder, ...journalIdentity, pieceBytes, dirty: new DirtyFiles(host.files) };
  return new MetadataJournal({ ...parts, durableSeq: () => 0 }, 0, 1);
}

export function writeUnit(journal: MetadataJournal, unit: Unit): void {
  if (unit.isAggregate) addAggregate(journal, unit);
  else for (const record of unit.records) journal.add(record, unit.bytes, record.extraAt);
  journal.write();
}

function addAggregate(journal: MetadataJournal, { records, bytes, firstSeq }: Unit): void {
  const last = records.at(-1);
  if (last === undefined) return;
  const aggregate = new MetadataAggregate(last.epoch, firstSeq, last.seq);
  for (const record of records) aggregate.add(record, bytes, record.extraAt);
  journal.addAggregate(aggregate);
}
