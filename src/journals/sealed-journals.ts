/** The metadata journals of all groups as the store has them: each is sealed on, from where its newest piece ends. */
import type { Machine } from "#src/host/machine.ts";
import type { Objects } from "#src/store/objects.ts";
import { JournalFolder } from "./journal-folder.ts";
import { MetadataCursor } from "./metadata-cursor.ts";
import { newestPiece } from "./newest-piece.ts";
import { PieceSealer } from "./piece-sealer.ts";

export interface SealedPart {
  readonly group: string;
  /** Of the group's journals. */
  readonly folder: string;
  /** Of its metadata journal. */
  readonly incarnation: number;
  /** All records up to there are durable, and all their payload is sealed. */
  readonly lastSeq: number;
}

export class SealedJournals {
  readonly #machine: Machine;
  readonly #objects: Objects;
  readonly #key: Buffer | undefined;
  readonly #sealers = new Map<string, PieceSealer>();

  /** `key` is the store's. Nobody else writes its objects. */
  constructor(machine: Machine, objects: Objects, key: Buffer | undefined) {
    this.#machine = machine;
    this.#objects = objects;
    this.#key = key;
  }

  /** Answers how far the journal is sealed then: less than asked for where an aggregate goes on behind it. */
  async sealUpTo(part: SealedPart): Promise<number> {
    const sealer = this.#sealers.get(part.group) ?? (await this.#opened(part));
    // After an error another one looks anew what is there.
    this.#sealers.delete(part.group);
    const nowMicros = () => Math.round(this.#machine.clock.wallMs() * 1000);
    while (sealer.sealedSeq < part.lastSeq) {
      if ((await sealer.sealNext(part.lastSeq, nowMicros())) === undefined) break;
    }
    this.#sealers.set(part.group, sealer);
    return sealer.sealedSeq;
  }

  async #opened({ group, folder, incarnation }: SealedPart): Promise<PieceSealer> {
    const { files, randomness } = this.#machine;
    const previous = (await newestPiece(this.#objects, group, this.#key))?.link;
    const journal = new JournalFolder(folder);
    const walkFrom = (seq: number) => new MetadataCursor(files, journal, { group, incarnation }, seq);
    return new PieceSealer({ objects: this.#objects, randomness, key: this.#key, group, previous, walkFrom });
  }
}
