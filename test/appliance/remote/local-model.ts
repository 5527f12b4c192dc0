/**
 * A local appliance that sends random records to a remote one and knows what each was: the oracle for what the journals
 * may hold. Its spool never loses anything but at a start without a clean end, where a new epoch begins.
 */
import { expect } from "vitest";
import type { JournalRecord } from "#src/journals/journal-reader.ts";
import { sealedPieces } from "#src/journals/sealed-piece-chain.ts";
import { segmentOf } from "#src/records/address.ts";
import { batchMagic, getBatchHeader, lastSeqOf } from "#src/records/batch.ts";
import { recordType } from "#src/records/record.ts";
import { epochBatch, payloadOf, type SentRecord, wireBatch } from "#test/journals/wire-batch.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { type FoundRecord, hello, type LocalPeer, type RemoteWorld } from "./remote-world.ts";

interface Spooled {
  readonly bytes: Buffer;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

interface Known extends SentRecord {
  readonly epoch: number;
}

export class LocalModel {
  readonly #random: SeededRandom;
  readonly #group: string;
  #spool: Spooled[] = [];
  readonly #known = new Map<number, Known>();
  #epoch = 1;
  #life = 0;
  #nextSeq = 1;
  #toSend = 0;
  peer: LocalPeer | undefined;
  /** The highest that the remote ever called durable. */
  durableSeq = 0;
  /** The highest that it ever called stored. */
  storedSeq = 0;

  constructor(random: SeededRandom, group: string) {
    this.#random = random;
    this.#group = group;
  }

  /** Starts anew, perhaps in a new epoch, and connects. */
  async connect(world: RemoteWorld): Promise<void> {
    this.#life++;
    const first = this.#spool[0];
    const last = this.#spool.at(-1);
    const greeting = hello({
      group: this.#group,
      life: this.#life,
      writer: `writer-${this.#life}`,
      epoch: this.#epoch,
      firstSeq: first?.firstSeq ?? 0,
      lastSeq: last?.lastSeq ?? 0,
    });
    this.peer = await world.connect(greeting);
    const { received } = this.peer.welcome;
    expect(received).toBeGreaterThanOrEqual(this.durableSeq);
    await this.checkContent(world, received);
    this.#toSend = this.#spool.findIndex((batch) => batch.lastSeq > received);
    if (this.#toSend < 0) this.#toSend = this.#spool.length;
  }

  /** What was not synced at the source is lost, and a new epoch begins; what the remote has of it, it keeps. */
  losePower(): void {
    const received = this.peer?.last.received ?? 0;
    const lostCount = this.#random.integerBelow(3);
    const kept = this.#spool.slice(0, Math.max(0, this.#spool.length - lostCount));
    // What was acknowledged as durable by both stays, so that no record is missing at both.
    this.#spool = this.#spool.filter((batch) => kept.includes(batch) || batch.firstSeq <= this.durableSeq);
    const lastSeq = this.#spool.at(-1)?.lastSeq ?? 0;
    const previousEpoch = this.#epoch;
    this.#epoch++;
    const seq = Math.max(this.#nextSeq, received) + 1 + this.#random.integerBelow(100);
    this.#known.set(seq, { type: recordType.epoch, epoch: this.#epoch });
    this.#add(epochBatch(this.#epoch, seq, previousEpoch, lastSeq));
  }

  /** Makes a batch of random records. */
  write(): void {
    const records: SentRecord[] = Array.from({ length: this.#random.between(1, 5) }, (_, index) => {
      const startBlock = this.#random.integerBelow(1000);
      const content = this.#nextSeq + index;
      if (this.#random.chance(0.15)) return { type: recordType.trim, startBlock, blockCount: 7 };
      return { startBlock, content, blockCount: this.#random.between(1, 4) };
    });
    const firstSeq = this.#nextSeq;
    for (const [index, record] of records.entries())
      this.#known.set(firstSeq + index, { ...record, epoch: this.#epoch });
    this.#add(wireBatch({ epoch: this.#epoch, firstSeq }, records));
  }

  #add(bytes: Buffer): void {
    const header = getBatchHeader(bytes, 0, batchMagic.records);
    if (header === undefined) return expect.unreachable("a batch has a header");
    this.#spool.push({ bytes, firstSeq: header.firstSeq, lastSeq: lastSeqOf(header) });
    this.#nextSeq = lastSeqOf(header) + 1;
  }

  /** Of all that was written. */
  get lastSeq(): number {
    return this.#spool.at(-1)?.lastSeq ?? 0;
  }

  /** Sends some of what was not sent, now and then something of before. */
  send(): void {
    const { peer } = this;
    if (peer === undefined || peer.closedWhy !== undefined) return;
    const count = this.#random.integerBelow(4);
    const batches = this.#spool.slice(this.#toSend, this.#toSend + count);
    this.#toSend += batches.length;
    const repeated = this.#random.chance(0.1) ? batches.slice(0, 1) : [];
    peer.send(...[...batches, ...repeated].map((batch) => batch.bytes));
  }

  ask(): void {
    const { peer } = this;
    if (peer !== undefined && peer.closedWhy === undefined) peer.owner.askDurable(peer.last.received);
  }

  /** It has no more than its store has; what it called durable it may have lost. The spool has all. */
  remoteLostUnstored(): void {
    this.durableSeq = this.storedSeq;
  }

  hear(): void {
    this.durableSeq = Math.max(this.durableSeq, this.peer?.last.durable ?? 0);
    this.storedSeq = Math.max(this.storedSeq, this.peer?.last.stored ?? 0);
  }

  /** The journals hold what was sent, without a gap and without anything else. */
  async checkContent(world: RemoteWorld, lastSeq: number): Promise<void> {
    const found = await world.history(lastSeq, this.#group);
    await checkStored(world, this.#group, found);
    const seqs = found.map(({ record }) => record.seq);
    expect(seqs.every((seq, index) => index === 0 || seq > (seqs[index - 1] as number))).toBe(true);
    for (const { firstSeq, lastSeq: batchLastSeq } of this.#spool) {
      if (firstSeq > lastSeq) continue;
      for (let seq = firstSeq; seq <= batchLastSeq; seq++) expect(seqs.includes(seq), `seq ${seq}`).toBe(true);
    }
    for (const { record, payload } of found) {
      const known = this.#known.get(record.seq);
      expect([record.epoch, record.type]).toEqual([known?.epoch, known?.type ?? recordType.write]);
      if (record.type !== recordType.write) continue;
      const expected = payloadOf(known?.content as number, known?.blockCount as number);
      expect(payload.equals(expected), `payload of seq ${record.seq}`).toBe(true);
    }
  }
}

/** What is called stored the store's objects give back alone: the records, and what leads to their payload. */
async function checkStored(world: RemoteWorld, group: string, found: readonly FoundRecord[]): Promise<void> {
  const { store } = world;
  if (store === undefined) return;
  const stored: JournalRecord[] = [];
  for await (const piece of sealedPieces(store.objects, group, undefined)) {
    for await (const record of piece.records()) stored.push(record);
  }
  const lastSeq = stored.at(-1)?.seq ?? 0;
  const inJournal = found.map(({ record }) => withoutPlace(record)).filter(({ seq }) => seq <= lastSeq);
  expect(stored.map(withoutPlace)).toEqual(inJournal);
  for (const { address } of stored) if (address !== 0) expect(store.blocks.has(segmentOf(address))).toBe(true);
}

/** Where the extra part lay in the file that it was read from is not what was recorded. */
function withoutPlace(record: JournalRecord): JournalRecord {
  const { extraAt: _, ...rest } = record as JournalRecord & { readonly extraAt?: number };
  return rest;
}
