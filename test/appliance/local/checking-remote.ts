/** A remote appliance in the small that believes nothing: whatever is shipped must be what may come next. */
import { getLe32 } from "#src/core/little-endian.ts";
import {
  type AggregatePartHeader,
  aggregatePartRecords,
  foldedFigures,
  getAggregatePartHeader,
} from "#src/records/aggregate-part.ts";
import {
  type BatchRecord,
  batchMagic,
  batchRecords,
  batchSpanBytes,
  getBatchHeader,
  hasSoundHeads,
  hasSoundPayload,
  lastSeqOf,
} from "#src/records/batch.ts";
import { recordType, recordTypeName } from "#src/records/record.ts";
import type { GroupLink } from "#src/wire/group-link.ts";

type State = Map<string, number>;

export class CheckingRemote implements GroupLink {
  readonly #expected: (seq: number) => State;
  readonly traffic = { batchBytes: 0, wireBytes: 0, frames: 0 };
  isUp = false;
  received = 0;
  creditBytes = Number.POSITIVE_INFINITY;
  /** Credit that comes back for each byte that has landed. */
  isGenerous = true;
  /** What is shipped is taken, and the memory it lies in is held until `drain`. */
  holdsMemory = false;
  /** What must not change for now, and what it was when it came. */
  #held: { readonly pieces: readonly Buffer[]; readonly bytes: Buffer } | undefined;
  /** What came, in words: "4 write", "5..9 as one". */
  readonly events: string[] = [];
  shippedBytes = 0;
  partCount = 0;
  mayGoOn: () => void = () => {};
  #state: State = new Map();
  #pending: BatchRecord[][] = [];
  #pendingState: State = new Map();

  constructor(expected: (seq: number) => State) {
    this.#expected = expected;
  }

  /** Of an aggregate that is not complete nothing is left. */
  connected(): void {
    this.isUp = true;
    this.#pending = [];
  }

  /** As if it had received so much of what there is, and no more. */
  startWith(seq: number): void {
    this.received = seq;
    this.#state = this.#expected(seq);
  }

  lost(): void {
    this.isUp = false;
    this.#held = undefined;
  }

  get mayShipBytes(): number {
    return this.isUp && this.#held === undefined ? this.creditBytes : 0;
  }

  ship(pieces: readonly Buffer[]): boolean {
    if (!this.isUp || this.#held !== undefined) throw new Error("it is shipped when it may be");
    const bytes = Buffer.concat(pieces);
    if (bytes.length > this.creditBytes) throw new Error("no more is shipped than there is credit for");
    if (!this.isGenerous) this.creditBytes -= bytes.length;
    this.shippedBytes += bytes.length;
    for (let at = 0; at < bytes.length; ) at += this.#take(bytes, at);
    this.#held = this.holdsMemory ? { pieces, bytes } : undefined;
    return !this.holdsMemory;
  }

  drain(): void {
    const held = this.#held;
    if (held !== undefined && !held.bytes.equals(Buffer.concat(held.pieces)))
      throw new Error("what is held was changed");
    this.#held = undefined;
    this.mayGoOn();
  }

  credit(byteLength: number): void {
    this.creditBytes += byteLength;
    if (this.#held === undefined) this.mayGoOn();
  }

  #take(bytes: Buffer, start: number): number {
    const part = getAggregatePartHeader(bytes, start);
    if (part !== undefined) return this.#takePart(bytes, start, part);
    const header = getBatchHeader(bytes, start, batchMagic.records);
    if (header === undefined || !hasSoundHeads(bytes, start, header)) throw new Error("what is shipped is sound");
    if (header.firstSeq > this.received + 1) throw new Error(`${header.firstSeq} came behind ${this.received}`);
    if (this.#pending.length > 0) throw new Error("nothing comes within an aggregate");
    const records = batchRecords(bytes, start, header) ?? [];
    for (const record of records) {
      if (record.seq <= this.received) continue;
      apply(this.#state, bytes, record);
      this.events.push(`${record.seq} ${recordTypeName(record.type)}`);
    }
    this.#reach(lastSeqOf(header));
    return batchSpanBytes(header);
  }

  #takePart(bytes: Buffer, start: number, part: AggregatePartHeader): number {
    const records = hasSoundHeads(bytes, start, part.batch) ? aggregatePartRecords(bytes, start, part) : undefined;
    if (records === undefined) throw new Error("a part is sound");
    if (part.firstSeq !== this.received + 1) throw new Error(`${part.firstSeq} came behind ${this.received}`);
    if (part.partNumber !== this.#pending.length) throw new Error("parts come in a row");
    if (part.partNumber === 0) this.#pendingState = new Map(this.#state);
    this.#pending.push(records);
    this.partCount++;
    for (const record of records) apply(this.#pendingState, bytes, record);
    const last = records.at(-1) as BatchRecord;
    if (last.type === recordType.aggregate) {
      const folded = foldedFigures(bytes, last);
      if (folded?.records !== part.lastSeq - part.firstSeq + 1) throw new Error("it says how many records it is");
      this.#pending = [];
      this.#state = this.#pendingState;
      this.events.push(`${part.firstSeq}..${part.lastSeq} as one`);
      this.#reach(part.lastSeq);
    }
    return batchSpanBytes(part.batch);
  }

  #reach(seq: number): void {
    this.received = seq;
    const expected = this.#expected(seq);
    const isSame =
      expected.size === this.#state.size && [...expected].every(([key, value]) => this.#state.get(key) === value);
    if (!isSame) throw new Error(`the state at ${seq} is not what the records make`);
  }

  expectAnswer(): void {}
  askDurable(): void {}
  fetch(): Promise<void> {
    return Promise.resolve();
  }
  reconnect(): void {}
  stop(): Promise<void> {
    return Promise.resolve();
  }
}

function apply(state: State, bytes: Buffer, record: BatchRecord): void {
  const { type, volume, startBlock, blockCount } = record;
  if (type === recordType.write && !hasSoundPayload(bytes, record)) throw new Error("what is shipped was written");
  for (let index = 0; index < blockCount; index++) {
    const key = `${volume}:${startBlock + index}`;
    if (type === recordType.write) state.set(key, getLe32(bytes, record.payloadAt + index * 4096));
    else if (type === recordType.trim || type === recordType.zero) state.delete(key);
  }
}
