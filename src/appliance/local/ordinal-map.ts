/**
 * Which seq a volume's ordinals had, coarsely: enough to know from "the source has all up to this ordinal" up to which
 * seq the spool is not needed for it, and from "the remote has all up to this seq" which ordinal that is. Pure.
 *
 * Invariants: ordinals and seqs grow; at most `entriesMax` entries, by keeping fewer of the older ones; an entry is kept
 * until both source and remote have it durably.
 */
const entriesMax = 4096;

export class OrdinalMap {
  #entries: { ordinal: number; seq: number }[] = [];
  #lastOrdinal = 0;
  #durableOrdinal = 0;
  /** All records of the volume up to this seq are durable in the source. */
  #durableSeq = 0;
  #remoteSeq = 0;
  #remoteOrdinal = 0;

  /** `firstOrdinal`: of the oldest record that is in the spool; what came before it was let go of. */
  constructor(firstOrdinal = 1) {
    this.#durableOrdinal = firstOrdinal - 1;
  }

  /** The source was once said to have durably all up to this ordinal. */
  get saidOrdinal(): number {
    return this.#durableOrdinal;
  }

  get lastOrdinal(): number {
    return this.#lastOrdinal;
  }

  /** All records of the volume up to this ordinal are durable at the remote. */
  get remoteOrdinal(): number {
    return this.#remoteOrdinal;
  }

  /** The record with this seq was the last of its batch for this volume. */
  add(ordinal: number, seq: number): void {
    this.#lastOrdinal = ordinal;
    this.#entries.push({ ordinal, seq });
    const newest = this.#entries.length - 1;
    if (newest >= entriesMax) this.#entries = this.#entries.filter((_, index) => (newest - index) % 2 === 0);
  }

  /** What an interceptor said of its source counts where the spool has let go of the volume's records. */
  skipTo(ordinal: number): void {
    this.#lastOrdinal = Math.max(this.#lastOrdinal, ordinal);
    this.#lookAtRemote();
  }

  reportDurable(ordinal: number): void {
    this.#durableOrdinal = Math.max(this.#durableOrdinal, ordinal);
    for (const entry of this.#entries) {
      if (entry.ordinal > this.#durableOrdinal) break;
      this.#durableSeq = entry.seq;
    }
    this.#dropOld();
  }

  /** The remote has durably all up to this seq. */
  remoteDurable(seq: number): void {
    this.#remoteSeq = Math.max(this.#remoteSeq, seq);
    this.#lookAtRemote();
    this.#dropOld();
  }

  /** Where no record is left that the remote may lack, it has all: what is not in the spool any more it has durably. */
  #lookAtRemote(): void {
    for (const entry of this.#entries) {
      if (entry.seq > this.#remoteSeq) return;
      this.#remoteOrdinal = Math.max(this.#remoteOrdinal, entry.ordinal);
    }
    this.#remoteOrdinal = this.#lastOrdinal;
  }

  #dropOld(): void {
    const count = this.#entries.findIndex(
      ({ ordinal, seq }) => ordinal > this.#durableOrdinal || seq > this.#remoteSeq,
    );
    if (count < 0) this.#entries = [];
    else if (count > 0) this.#entries = this.#entries.slice(count);
  }

  /** Up to where the volume does not need the spool, in an order that has come to `lastSeq`. */
  releasableSeq(lastSeq: number): number {
    return this.#durableOrdinal >= this.#lastOrdinal ? lastSeq : this.#durableSeq;
  }
}
