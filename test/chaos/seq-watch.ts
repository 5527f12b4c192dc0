/**
 * Ties a host's own count of events, and the time, to the seqs of its group: looks again and again how far the order is. What was
 * answered before a look is in the order by then, and what is begun after it comes later.
 */
import { setTimeout as pause } from "node:timers/promises";
import { databaseVolume, stampedVolume, type World } from "./world.ts";

/** A status tells what was so at most so long ago. */
const staleMs = 1500;
const lookEveryMs = 250;

interface Moment {
  readonly atMs: number;
  /** Of the stamped volume's host. */
  readonly event: number;
}

interface Look {
  readonly before: Moment;
  readonly after: Moment;
  readonly lastSeq: number;
  /** Nothing is missing in the order that was answered meanwhile. */
  readonly isProtected: boolean;
}

export interface SeqBounds {
  /** What was answered by then has this seq, or an earlier one. */
  readonly answered: Moment | undefined;
  /** What is begun later has a later one. */
  readonly begun: Moment | undefined;
}

export class SeqWatch {
  readonly #world: World;
  readonly #events: () => number;
  readonly #looks: Record<string, Look[]> = { [stampedVolume]: [], [databaseVolume]: [] };
  readonly #moments: Moment[] = [];
  #isOver = false;

  constructor(world: World, events: () => number) {
    this.#world = world;
    this.#events = events;
  }

  async run(): Promise<void> {
    while (!this.#isOver) {
      // Whoever is being killed or frozen tells nothing.
      await this.#look().catch(() => {});
      await pause(lookEveryMs);
    }
  }

  end(): void {
    this.#isOver = true;
  }

  boundsOf(volume: string, seq: number): SeqBounds {
    const looks = this.#looks[volume] as Look[];
    const by = looks.findLast((look, index) => isSafe(look, looks[index - 1]) && look.lastSeq <= seq);
    const answered = this.#moments.findLast(({ atMs }) => atMs <= (by?.before.atMs ?? 0) - staleMs);
    return { answered, begun: looks.find(({ lastSeq }) => lastSeq >= seq)?.after };
  }

  async #look(): Promise<void> {
    const before = this.#moment();
    this.#moments.push(before);
    const { volumes } = await this.#world.status("interceptor");
    const { groups } = await this.#world.status("local");
    const after = this.#moment();
    for (const { name, lastSeq } of groups) {
      const looks = this.#looks[name];
      // What was just started may not know yet how far it is.
      if (looks === undefined || lastSeq < (looks.at(-1)?.lastSeq ?? 0)) continue;
      const volume = volumes.find((one) => one.name === name);
      const isProtected = volume?.state === "open" && volume.copy === undefined && !volume.baseMissing;
      looks.push({ before, after, lastSeq, isProtected });
    }
  }

  #moment(): Moment {
    return { atMs: performance.timeOrigin + performance.now(), event: this.#events() };
  }
}

/** Also the one before was protected: what was not is copied by now. */
function isSafe(look: Look, previous: Look | undefined): boolean {
  return look.isProtected && previous?.isProtected === true;
}
