/** Judges what one group's host is told, by what the disks of both sites have at that moment. */
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import type { JournalWatch } from "./journal-watch.ts";
import { RecordHistory, type } from "./record-history.ts";
import type { SourceWatch } from "./source-watch.ts";
import type { SpoolWatch } from "./spool-watch.ts";
import { demand } from "./violation.ts";
import type { HostWrite, VolumeModel } from "./volume-model.ts";

export interface WatchedVolume {
  readonly name: string;
  /** As the host numbers it. */
  readonly volume: number;
  readonly blockCount: number;
}

export class GroupOracle {
  readonly id: string;
  readonly history: RecordHistory;
  readonly #spool: SpoolWatch;
  readonly #journal: JournalWatch;
  /** Where each write that was replied to is in the order. */
  readonly #seqs = new Map<HostWrite, number>();

  constructor(id: string, mode: Mode, volumes: readonly WatchedVolume[], spool: SpoolWatch, journal: JournalWatch) {
    this.id = id;
    this.history = new RecordHistory(new Map(volumes.map(({ name, volume }) => [name, volume])), mode);
    this.#spool = spool;
    this.#journal = journal;
  }

  /**
   * `since`: how many records the history had when the write was submitted. `isUnprotected`: the volume went on without its
   * appliance at some time since: the source alone has it.
   */
  writeReplied(
    model: VolumeModel,
    source: SourceWatch,
    write: HostWrite,
    { since, isUnprotected }: { readonly since: number; readonly isUnprotected: boolean },
  ): void {
    const what = `write ${write.number} (${write.kind}) of volume ${model.volume}`;
    if (!isUnprotected && !this.history.hasBegunCopy(model.volume, since)) {
      const seq = this.history.seqOf(write, model.volume, since);
      demand("promise", seq !== undefined, () => `${what} is replied to, and the spool does not have it`);
      this.#seqs.set(write, seq as number);
      this.#demandReceived(seq as number, what);
    }
    const { firstCell, cellCount } = write;
    model.demandVisible(
      firstCell,
      source.visibleStamps(firstCell, cellCount),
      `after the reply to ${what} the source has`,
    );
    if (write.fua) this.#demandDurable(model, source, [write], `FUA of ${what}`);
  }

  /** `isUnprotected`: the volume goes on without its appliance, or did when this was asked for. */
  flushReplied(
    model: VolumeModel,
    source: SourceWatch,
    covered: readonly HostWrite[],
    { since, isUnprotected }: { readonly since: number; readonly isUnprotected: boolean },
  ): void {
    if (isUnprotected || this.history.hasBegunCopy(model.volume, since)) this.#forget(covered);
    this.#demandDurable(model, source, covered, `FLUSH of volume ${model.volume}`);
  }

  /** Where they are in the order does not matter any more. */
  #forget(writes: readonly HostWrite[]): void {
    for (const write of writes) this.#seqs.delete(write);
  }

  /** The spool is gone: what was in it alone is in the source. */
  spoolLost(): void {
    this.#seqs.clear();
    this.#spool.lost(this.id);
  }

  /** A mark is as safe as a flush, and where all that came before it makes one state of each volume that was not removed. */
  markPlaced(seq: number, isLeft: (volume: number) => boolean): void {
    const record = this.history.get(seq);
    demand("promise", record?.type === type.mark, () => `a mark is told of at seq ${seq}, where there is none`);
    const inDanger = this.#spool.firstInDanger(this.id, seq);
    demand("promise", inDanger === undefined, () => `the mark at ${seq} is told of, and ${inDanger} is not durable`);
    const copying = this.history.resyncingAt(seq, isLeft);
    demand("prefix", copying === undefined, () => `the mark at ${seq} is no point: volume ${copying} is being copied`);
  }

  #demandDurable(model: VolumeModel, source: SourceWatch, covered: readonly HostWrite[], what: string): void {
    const last = Math.max(0, ...covered.map((write) => this.#seqs.get(write) ?? 0));
    const inDanger = this.#spool.firstInDanger(this.id, last);
    demand(
      "promise",
      inDanger === undefined,
      () => `${what} covers seq ${inDanger}, which is not durable in the spool`,
    );
    if (last > 0 && this.history.needsRemote(last)) {
      const durable = this.#journal.durableSeq(this.id);
      const hasAll = durable >= last;
      demand("promise", hasAll, () => `${what} covers seq ${last}, the remote has durably only ${durable}`);
    }
    for (const { firstCell, cellCount } of covered) {
      const stamps = source.durableStamps(firstCell, cellCount);
      model.demandDurable(firstCell, stamps, `after ${what} the source has durably`);
    }
    this.#forget(covered);
  }

  #demandReceived(seq: number, what: string): void {
    if (!this.history.needsRemote(seq)) return;
    const received = this.#journal.receivedSeq(this.id);
    demand("promise", received >= seq, () => `${what} has seq ${seq} under sync, the remote has only ${received}`);
  }

  /** What was not promised may be gone. */
  sourceCrashed(): void {
    this.#seqs.clear();
  }
}
