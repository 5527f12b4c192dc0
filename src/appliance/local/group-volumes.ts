/** The volumes of a group: who is attached, how far their sources are, and what the group's state says of them. */
import type { GroupStateFile } from "./group-state.ts";
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
  readonly cuts: VolumeCuts;
  /** By their numbers: attached, or about to be. */
  readonly #claimed = new Map<number, VolumeClaim>();
  readonly #links = new Set<LocalVolumeLink>();
  /** What their interceptors took note of is not durable yet. A spool without records of a volume must not pass for news. */
  readonly #unnoted = new Set<number>();
  readonly #events: GroupVolumesEvents;

  constructor(state: GroupStateFile, facts: Pick<SpoolFacts, "ordinals" | "cuts">, events: GroupVolumesEvents) {
    this.#state = state;
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

  /** A volume of the group that nobody has attached. */
  get missing(): string | undefined {
    const attached = new Set([...this.#links].map((link) => link.volume));
    return this.#state.state.volumes.find(({ number }) => !attached.has(number))?.name;
  }

  /** A volume that is being copied, so that there is no point at the moment. */
  get resyncing(): string | undefined {
    const link = [...this.#links].find((one) => one.isResyncing);
    return this.#state.state.volumes.find(({ number }) => number === link?.volume)?.name;
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
    this.#links.delete(link);
    this.#claimed.delete(link.volume);
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

  /** Up to where no source needs the spool. */
  releasableSeq(lastSeq: number): number {
    let seq = lastSeq;
    for (const { number } of this.#state.state.volumes) {
      seq = Math.min(seq, this.#unnoted.has(number) ? 0 : this.ordinalsOf(number).releasableSeq(lastSeq));
    }
    return seq;
  }

  /** Its interceptor has taken note of what it was told when it attached; the next time it need not be told again. */
  tookNote(volume: number): void {
    const { volumes } = this.#state.state;
    if (!volumes.some((one) => one.number === volume && (one.inDoubt || one.isNew))) return;
    const noted = { inDoubt: false, isNew: false, isAllInDoubt: false };
    const cleared = volumes.map((one) => (one.number === volume ? { ...one, ...noted } : one));
    this.#unnoted.add(volume);
    const isNoted = (): void => {
      this.#unnoted.delete(volume);
      this.#events.noted();
    };
    this.#state.update({ volumes: cleared }).then(isNoted, this.#events.failed);
  }

  loseAll(error: Error): void {
    const links = [...this.#links];
    this.#links.clear();
    for (const claim of this.#claimed.values()) claim.lost = error;
    this.#claimed.clear();
    for (const link of links) link.lose(error);
  }
}
