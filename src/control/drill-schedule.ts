/**
 * Drills by themselves: now and then the newest point of each volume is opened as a writable view, the configured command is run on
 * it, and what came of it is noted. One at a time; replication goes on beside it.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { drillAgainMs, drillLookMs, viewRenewMs } from "#src/core/view-limits.ts";
import type { Timer } from "#src/host/clock.ts";
import type { Machine } from "#src/host/machine.ts";
import { inWords } from "#src/host/system-words.ts";
import type { Drill, WaitingDrill } from "./drill.ts";
import type { DrillBook } from "./drill-book.ts";
import { LostPointError, NoPointYetError } from "./point-refusals.ts";
import type { ViewFacts } from "./view.ts";
import { viewEnvironment } from "./view-environment.ts";
import type { ViewPoints } from "./view-points.ts";
import type { Views } from "./views.ts";
import { ownName, type VolumeOfGroup, type VolumesOfGroup } from "./volume-of-group.ts";

export interface DrillOrder {
  readonly command: string;
  readonly everyMs: number;
  readonly withinMs: number;
}

/** Resolves when the command has ended well; rejects with how it did not. */
export type RunCommand = (
  command: string,
  variables: Readonly<Record<string, string>>,
  withinMs: number,
  signal: AbortSignal,
) => Promise<void>;

export interface DrillScheduleParts {
  readonly machine: Pick<Machine, "clock" | "log">;
  readonly order: DrillOrder;
  readonly book: DrillBook;
  readonly views: Pick<Views, "open" | "close" | "note" | "renew"> & {
    readonly points: Pick<ViewPoints, "noteUnopened">;
  };
  readonly groups: () => readonly VolumesOfGroup[];
  readonly run: RunCommand;
}

export class DrillSchedule {
  readonly #parts: DrillScheduleParts;
  readonly #ending = new AbortController();
  /** When each volume was last tried, by its group and number. */
  readonly #triedMs = new Map<string, number>();
  /** Why nothing of a volume can be proven yet, by the same. */
  readonly #waiting = new Map<string, string>();
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(parts: DrillScheduleParts) {
    this.#parts = parts;
    for (const { group, volume, startedMs } of parts.book.all) this.#triedMs.set(keyOfNumber(group, volume), startedMs);
  }

  /** Volumes that have no point yet, as of when each was last tried. */
  get waiting(): readonly WaitingDrill[] {
    return this.#parts.groups().flatMap((group) =>
      group.volumes.flatMap((volume) => {
        const why = this.#waiting.get(keyOf({ group, volume }));
        return why === undefined ? [] : [{ volume: volume.name, group: group.name, why }];
      }),
    );
  }

  start(): void {
    if (this.#ending.signal.aborted) return;
    this.#timer = this.#parts.machine.clock.timer(drillLookMs, () => {
      this.#round = this.#doDue().finally(() => this.start());
    });
  }

  async #doDue(): Promise<void> {
    const { groups, machine, order } = this.#parts;
    for (const group of groups()) {
      for (const volume of group.volumes) {
        const key = keyOf({ group, volume });
        const nowMs = machine.clock.wallMs();
        // A clock that was put back makes nobody wait longer.
        const lastMs = Math.min(this.#triedMs.get(key) ?? Number.NEGATIVE_INFINITY, nowMs);
        this.#triedMs.set(key, lastMs);
        if (this.#ending.signal.aborted || nowMs - lastMs < order.everyMs) continue;
        this.#triedMs.set(key, nowMs);
        const isTried = await this.#drill({ group, volume });
        // The volume may be without a point just now: that is no reason to wait as long as behind a drill.
        if (!isTried) this.#triedMs.set(key, nowMs - order.everyMs + Math.min(order.everyMs, drillAgainMs));
      }
    }
  }

  /** Answers whether it could be tried. */
  async #drill(one: VolumeOfGroup): Promise<boolean> {
    const { views, machine, order } = this.#parts;
    const volume = one.volume.name;
    let view: ViewFacts;
    try {
      // If the program is killed meanwhile, the next one opens it, and nobody holds it any more.
      view = await views.open({ volume: ownName(one), point: "now", isWritable: true, isLeased: true });
    } catch (error) {
      if (isOwnFault(error)) throw error;
      if (error instanceof NoPointYetError) this.#wait(one, error.why);
      else if (hasFailed(error)) return this.#unopened(one, error as Error);
      else machine.log.warn("a drill could not begin", { volume, error });
      return false;
    }
    this.#waiting.delete(keyOf(one));
    const letGo = this.#hold(view);
    try {
      const drill = await this.#tried(view, order);
      if (drill?.outcome === "failed")
        machine.log.error("a drill has failed", { volume, seq: drill.seq, why: drill.why });
    } catch (error) {
      if (isOwnFault(error)) throw error;
      // Somebody has closed its view, or the disk has no room: that is no reason for the others not to begin.
      machine.log.error("what came of a drill could not be noted", { volume, error });
    } finally {
      letGo();
      await views.close(view.name, "tried").catch((error) => machine.log.warn("a view could not be closed", { error }));
    }
    return true;
  }

  /** Answers whether it is noted. */
  async #unopened(one: VolumeOfGroup, error: Error): Promise<boolean> {
    const { views, machine, order } = this.#parts;
    const volume = one.volume.name;
    const why = error instanceof LostPointError ? error.why : inWords(error);
    this.#waiting.delete(keyOf(one));
    machine.log.error("a drill has failed: no point could be opened", { volume, why });
    try {
      await views.points.noteUnopened(ownName(one), { command: order.command, why }, "schedule");
      return true;
    } catch (unnoted) {
      if (isOwnFault(unnoted)) throw unnoted;
      machine.log.error("what came of a drill could not be noted", { volume, error: unnoted });
      return false;
    }
  }

  /** Nothing is wrong with a volume that nobody has written to: it is said once, and listed until that has changed. */
  #wait(one: VolumeOfGroup, why: string): void {
    const key = keyOf(one);
    const { log } = this.#parts.machine;
    if (!this.#waiting.has(key))
      log.info("drills of a volume begin with its first point", { volume: one.volume.name, why });
    this.#waiting.set(key, why);
  }

  #hold({ name }: ViewFacts): () => void {
    const { views, machine } = this.#parts;
    let timer: Timer;
    const renewLater = () => {
      timer = machine.clock.timer(viewRenewMs, () => {
        try {
          views.renew(name);
        } catch (error) {
          // Somebody has closed it, which the command finds out.
          if (!(error instanceof RefuseError)) throw error;
        }
        renewLater();
      });
    };
    renewLater();
    return () => timer.cancel();
  }

  async #tried(view: ViewFacts, { command, withinMs }: DrillOrder): Promise<Drill | undefined> {
    const { views, machine, run } = this.#parts;
    const startedMs = machine.clock.monotonicMs();
    let why: string | undefined;
    try {
      await run(command, viewEnvironment(view), withinMs, this.#ending.signal);
    } catch (error) {
      if (isOwnFault(error)) throw error;
      why = inWords(error);
    }
    // Whatever was cut off by the end of the program says nothing.
    if (this.#ending.signal.aborted) return undefined;
    const durationMs = Math.round(machine.clock.monotonicMs() - startedMs);
    const outcome = why === undefined ? "proven" : "failed";
    const note = { view: view.name, outcome, command, durationMs, ...(why === undefined ? {} : { why }) } as const;
    return views.note(note, "schedule");
  }

  /** The command that runs is ended. */
  async stop(): Promise<void> {
    this.#ending.abort(new Error("the program stops"));
    this.#timer?.cancel();
    await this.#round;
  }
}

/** Whoever wanted the point back now would not get it; what is refused for another reason, or busy, says nothing of that. */
function hasFailed(error: unknown): boolean {
  return error instanceof LostPointError || !(error instanceof RefuseError || error instanceof RetryError);
}

function keyOf({ group, volume }: VolumeOfGroup): string {
  return keyOfNumber(group.id, volume.number);
}

function keyOfNumber(group: string, volume: number): string {
  return `${group} ${volume}`;
}
