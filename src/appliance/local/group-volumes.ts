/** The volumes of a group: who is attached, how far their sources are, and what the group's state says of them. */

import { RefuseError, RetryError } from "#src/core/errors.ts";
import { CopyState } from "./copy-state.ts";
import type { GroupStateFile, GroupVolume } from "./group-state.ts";
import { OrdinalMap } from "./ordinal-map.ts";
import type { SpoolFacts } from "./spool-facts.ts";
import type { VolumeCuts } from "./volume-cuts.ts";
import type { LocalVolumeLink } from "./volume-link.ts";

export interface GroupVolumesEvents {
  /** More may leave the spool than before. */
  readonly noted: () => void;
  readonly failed: (error: Error) => void;
}

/** Of an interceptor that has a volume, or is about to. */
export interface VolumeClaim {
  /** Why it has gone, along with all others. */
  lost: Error | undefined;
}

export class GroupVolumes {
  readonly #state: GroupStateFile;
  readonly #ordinals: Map<number, OrdinalMap>;
  readonly #copies = new Map<number, CopyState>();
  readonly cuts: VolumeCuts;
  /** By their numbers: attached, or about to be. */
  readonly #claimed = new Map<number, VolumeClaim>();
  readonly #links = new Set<LocalVolumeLink>();
  /**
   * What their interceptors took note of, or that they are gone, is not durable yet. A spool without records of a volume must
   * not pass for news.
   */
  readonly #unnoted = new Set<number>();
  /** Their sources have begun to get what they lack, and are not known to have all of it. */
  readonly #half = new Set<number>();
  /** Of the last record that they added. */
  readonly #leftMicros = new Map<number, number>();
  readonly #beginMicros: number;
  readonly #events: GroupVolumesEvents;

  /** `beginMicros`: the time of the last record that was found; 0: there was none. */
  constructor(
    state: GroupStateFile,
    facts: Pick<SpoolFacts, "ordinals" | "cuts">,
    beginMicros: number,
    events: GroupVolumesEvents,
  ) {
    this.#state = state;
    this.#beginMicros = beginMicros;
    this.#ordinals = new Map(facts.ordinals);
    this.cuts = facts.cuts;
    this.#events = events;
  }

  get links(): ReadonlySet<LocalVolumeLink> {
    return this.#links;
  }

  /** A volume is attached, or about to be. */
  get isInUse(): boolean {
    return this.#claimed.size > 0;
  }

  /** Somebody has it, or is about to. */
  has(volume: number): boolean {
    return this.#claimed.has(volume);
  }

  /** A volume of the group that nobody has attached. */
  get missing(): string | undefined {
    const attached = new Set([...this.#links].map((link) => link.volume));
    return this.#state.state.volumes.find(({ number, isGone }) => isGone !== true && !attached.has(number))?.name;
  }

  /** A volume that is being copied, so that there is no point at the moment. */
  get resyncing(): string | undefined {
    const link = [...this.#links].find((one) => one.isResyncing);
    return this.#state.state.volumes.find(({ number }) => number === link?.volume)?.name;
  }

  /** Those that are attached and to which nothing was ever written. */
  get untouched(): readonly GroupVolume[] {
    const links = [...this.#links].filter(({ lastOrdinal }) => lastOrdinal === 0);
    return this.#state.state.volumes.filter(({ number }) => links.some(({ volume }) => volume === number));
  }

  /** Undefined: somebody has the volume. */
  claim(volume: number): VolumeClaim | undefined {
    if (this.#claimed.has(volume)) return undefined;
    const claim = { lost: undefined };
    this.#claimed.set(volume, claim);
    return claim;
  }

  /** What was lost may be another's by now. */
  unclaim(volume: number, claim: VolumeClaim): void {
    if (this.#claimed.get(volume) === claim) this.#claimed.delete(volume);
  }

  attached(link: LocalVolumeLink): void {
    this.#links.add(link);
  }

  detached(link: LocalVolumeLink): void {
    this.#leftMicros.set(link.volume, link.lastMicros);
    this.#links.delete(link);
    this.#claimed.delete(link.volume);
  }

  /** Up to when nothing is lacking of the volume; of those that were not here in this life, of what the group began with. */
  leftMicrosOf(volume: number): number {
    return this.#leftMicros.get(volume) ?? this.#beginMicros;
  }

  /**
   * From when on the order may lack what was written. Interceptors go by the host's clock, which may be behind the times of
   * records; and others of the group may have gone on before it was seen that a volume had left.
   */
  gapMicrosOf(
    { number, inDoubt, doubtMicros }: GroupVolume,
    unprotectedMicros: number | undefined,
  ): number | undefined {
    const leftMicros = this.leftMicrosOf(number);
    const toldMicros = unprotectedMicros === undefined ? [] : [Math.max(unprotectedMicros, leftMicros)];
    const lostMicros = inDoubt ? [doubtMicros ?? leftMicros] : [];
    const micros = Math.min(...toldMicros, ...lostMicros);
    return micros > 0 && Number.isFinite(micros) ? micros : undefined;
  }

  /** A volume whose source has older data over newer, unless it gets the rest from the spool. */
  get half(): string | undefined {
    return this.#state.state.volumes.find(({ number, isGone }) => isGone !== true && this.#half.has(number))?.name;
  }

  redoBegun(volume: number): void {
    this.#half.add(volume);
  }

  copyOf(volume: number): CopyState {
    let copy = this.#copies.get(volume);
    if (copy === undefined) {
      copy = new CopyState();
      this.#copies.set(volume, copy);
    }
    return copy;
  }

  ordinalsOf(volume: number): OrdinalMap {
    let ordinals = this.#ordinals.get(volume);
    if (ordinals === undefined) {
      ordinals = new OrdinalMap();
      this.#ordinals.set(volume, ordinals);
    }
    return ordinals;
  }

  /** The remote has durably all up to this seq. */
  remoteDurable(seq: number): void {
    for (const ordinals of this.#ordinals.values()) ordinals.remoteDurable(seq);
    this.#forgetCuts(seq);
    for (const link of this.#links) link.receiver.remoteDurable();
  }

  #forgetCuts(seq: number): void {
    const { volumes } = this.#state.state;
    if (!volumes.some(({ cutSeq = Number.POSITIVE_INFINITY }) => cutSeq <= seq)) return;
    const known = volumes.map(({ cutSeq, ...one }) =>
      cutSeq === undefined || cutSeq <= seq ? one : { ...one, cutSeq },
    );
    this.#state.update({ volumes: known }).catch(this.#events.failed);
  }

  /** Those who wait for room look again; whoever was the first is the last the next time. */
  roomAgain(): void {
    const [first, ...others] = this.#links;
    if (first === undefined) return;
    this.#links.delete(first);
    this.#links.add(first);
    for (const link of [first, ...others]) if (!link.isOver) link.receiver.roomAgain();
  }

  /** Up to where no source needs the spool. */
  releasableSeq(lastSeq: number): number {
    let seq = lastSeq;
    for (const { number, isGone } of this.#state.state.volumes) {
      if (this.#unnoted.has(number)) return 0;
      if (isGone !== true) seq = Math.min(seq, this.ordinalsOf(number).releasableSeq(lastSeq));
    }
    return seq;
  }

  /** Nothing leaves the spool before the volume's source has more than this ordinal. */
  isHolding(volume: number, durableOrdinal: number, lastSeq: number): boolean {
    const ordinals = this.ordinalsOf(volume);
    const isNext = ordinals.releasableSeq(lastSeq) === this.releasableSeq(lastSeq);
    return isNext && durableOrdinal < ordinals.lastOrdinal;
  }

  /** Its interceptor has taken note of what it was told when it attached; the next time it need not be told again. */
  tookNote(volume: number): void {
    this.#half.delete(volume);
    const { volumes } = this.#state.state;
    if (!volumes.some((one) => one.number === volume && (one.inDoubt || one.isNew))) return;
    this.#note(volume, { inDoubt: false, doubtMicros: null, isNew: false, isAllInDoubt: false }).catch(
      this.#events.failed,
    );
  }

  /** Nobody comes with it any more: nothing is kept for its source, and marks stand without it. Resolves when it is durable. */
  async forget({ number, name }: GroupVolume): Promise<void> {
    if (this.#claimed.has(number)) {
      throw new RetryError(`the volume '${name}' is attached: it is forgotten when its interceptor has left`);
    }
    try {
      await this.#note(number, { isGone: true });
    } catch (error) {
      this.#events.failed(error as Error);
      throw error;
    }
  }

  refuseGone(volume: number): void {
    const gone = this.#state.state.volumes.find(({ number, isGone }) => number === volume && isGone === true);
    if (gone !== undefined) throw wasRemoved(gone.name);
  }

  async #note(volume: number, change: Partial<GroupVolume>): Promise<void> {
    const { volumes } = this.#state.state;
    this.#unnoted.add(volume);
    await this.#state.update({
      volumes: volumes.map((one) => (one.number === volume ? { ...one, ...change } : one)),
    });
    this.#unnoted.delete(volume);
    this.#events.noted();
  }

  loseAll(error: Error): void {
    for (const claim of this.#claimed.values()) claim.lost = error;
    this.#claimed.clear();
    this.letGo([...this.#links], error);
  }

  letGo(links: readonly LocalVolumeLink[], error: Error): void {
    for (const link of links) {
      this.#leftMicros.set(link.volume, link.lastMicros);
      this.#links.delete(link);
      this.#claimed.delete(link.volume);
    }
    for (const link of links) link.lose(error);
  }
}

/** For who comes with one all the same: what its source lacked may not be in the spool any more. */
export function wasRemoved(name: string): RefuseError {
  return new RefuseError(`the volume '${name}' was removed: add it again to protect it`);
}
