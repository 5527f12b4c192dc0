/** The metadata journals of all groups as the store has them: each is sealed on, from where its newest piece ends. */
import { RetryError, StopError } from "#src/core/errors.ts";
import type { Machine } from "#src/host/machine.ts";
import { holeAddress, segmentOf } from "#src/records/address.ts";
import type { Objects } from "#src/store/objects.ts";
import { isSegmentThere } from "#src/store/segment-presence.ts";
import { JournalFolder } from "./journal-folder.ts";
import { MetadataCursor } from "./metadata-cursor.ts";
import type { MetadataEntry } from "./metadata-entry.ts";
import { PieceSealer } from "./piece-sealer.ts";
import { type KnownGroup, StoredGroup } from "./stored-group.ts";

export interface SealedPart {
  /** Of the group's journals. */
  readonly folder: string;
  /** Of its metadata journal. */
  readonly incarnation: number;
  /** All records up to there are durable, and all their payload is sealed. */
  readonly lastSeq: number;
  /** The store is known to have them up to there. */
  readonly storedSeq: number;
  /** What the store is to say of the group. */
  readonly known: KnownGroup;
}

export interface SealedJournalsParts {
  readonly machine: Machine;
  readonly objects: Objects;
  /** Of the store. Undefined: it is not encrypted. */
  readonly key: Buffer | undefined;
  /** Whether the store is known to have the segment. */
  readonly hasSegment: (segment: number) => boolean;
}

interface SealedJournal {
  readonly sealer: PieceSealer;
  readonly stored: StoredGroup;
}

/** Nobody else writes the store's objects. */
export class SealedJournals {
  readonly #parts: SealedJournalsParts;
  readonly #journals = new Map<string, SealedJournal>();
  /** Segments that records point to which are being sealed, and of which it is not known that the store has them. */
  readonly #doubtful = new Map<number, number>();
  #lastSegment = 0;

  constructor(parts: SealedJournalsParts) {
    this.#parts = parts;
  }

  /**
   * Seals one piece at most, so that groups with much to seal leave the others their turns. Answers how far the journal is
   * sealed then: no further than before where an aggregate goes on behind it. The store says the same of the group
   * afterwards, besides its pieces.
   */
  async sealUpTo(part: SealedPart): Promise<number> {
    const { known, lastSeq } = part;
    const journal = this.#journals.get(known.id) ?? (await this.#opened(part));
    const { sealer, stored } = journal;
    // After an error another one looks anew what is there.
    this.#journals.delete(known.id);
    const { machine, objects } = this.#parts;
    const nowMicros = () => Math.round(machine.clock.wallMs() * 1000);
    const piece = sealer.sealedSeq < lastSeq ? await sealer.sealNext(lastSeq, nowMicros()) : undefined;
    if (piece !== undefined) stored.stored(piece.link);
    await stored.note(objects, known);
    this.#journals.set(known.id, journal);
    return sealer.sealedSeq;
  }

  async #opened({ folder, incarnation, known, storedSeq }: SealedPart): Promise<SealedJournal> {
    const { machine, objects, key } = this.#parts;
    const { files, randomness } = machine;
    const group = known.id;
    const stored = await StoredGroup.open({ objects, group, key, known });
    const foundSeq = stored.link?.lastSeq ?? 0;
    // What is sealed behind an older piece would not follow the newest one.
    if (foundSeq < storedSeq) {
      const found = `the store tells of the records up to ${foundSeq} of group ${group}, and had them up to ${storedSeq}`;
      throw new RetryError(`${found}: it is looked again what it has`);
    }
    const journal = new JournalFolder(folder);
    const walkFrom = (seq: number) => new MetadataCursor(files, journal, { group, incarnation }, seq);
    const saw = (entry: MetadataEntry, extra: Buffer) => {
      this.#sawPayload(entry);
      stored.saw(entry, extra);
    };
    const assertWhole = () => this.#assertWhole();
    const parts = { objects, randomness, key, group, previous: stored.link, walkFrom, saw, assertWhole };
    return { stored, sealer: new PieceSealer(parts) };
  }

  #sawPayload({ seq, address }: MetadataEntry): void {
    const segment = segmentOf(address);
    if (address === holeAddress || segment === this.#lastSegment) return;
    if (this.#parts.hasSegment(segment)) this.#lastSegment = segment;
    else this.#doubtful.set(segment, seq);
  }

  /** Nothing in the store points to what is not there: an older image of it may have been put back meanwhile. */
  async #assertWhole(): Promise<void> {
    const doubtful = [...this.#doubtful];
    this.#doubtful.clear();
    this.#lastSegment = 0;
    for (const [segment, seq] of doubtful) {
      // The list that told what is there may have been of the past.
      if (await isSegmentThere(this.#parts.objects, segment)) continue;
      const lack = `the store lacks segment ${segment}, which it had, and record ${seq} of a group points there`;
      throw new StopError(`${lack}: put the store back as it was, or go on without by 'tidemark rebuild --in-place'`);
    }
  }
}
