/** From where on the histories of all groups are kept, as the process that keeps the store has them. */
import type { Machine } from "#src/host/machine.ts";
import { storedGroups } from "#src/journals/stored-group.ts";
import { unlessUnreadable } from "#src/store/object-presence.ts";
import type { Objects } from "#src/store/objects.ts";
import type { SpaceReserve } from "#src/store/space-reserve.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import type { AgeingPolicy } from "#src/synth/ageing-plan.ts";
import type { PlannedAgeing } from "#src/synth/group-ageing.ts";
import { type AgeingOutcome, GroupHistory } from "#src/synth/group-history.ts";
import type { ReachForecast } from "#src/synth/reach-forecast.ts";
import type { RetentionPlan } from "#src/synth/retention-plan.ts";
import { storeForecast } from "./store-forecast.ts";
import type { StoreRoom } from "./store-room.ts";

export interface KeptHistoriesParts {
  readonly machine: Pick<Machine, "clock" | "randomness">;
  readonly objects: Objects;
  readonly key: Buffer | undefined;
  /** `Infinity`: everything is kept. */
  readonly keepMs: number;
  readonly ageing: AgeingPolicy;
  /** On a full disk a snapshot has to be made before anything can go. */
  readonly reserve: SpaceReserve;
  /** Of the store's disk; undefined: it is not known. */
  readonly room?: () => StoreRoom | undefined;
}

export interface GroupRetention {
  readonly group: string;
  readonly plan: RetentionPlan;
}

export interface GroupAgeingPlan {
  readonly group: string;
  readonly plan: PlannedAgeing;
}

export interface AgedGroup {
  readonly group: string;
  readonly outcome: AgeingOutcome;
}

/** Every point of the group from this record on is kept; 0: every one that there ever was. */
export interface HistoryWindow {
  readonly group: string;
  readonly fromSeq: number;
  /** Of the oldest record that is kept; absent: none is sealed. */
  readonly oldestMicros?: number;
  /** How far back the room will reach; absent: nobody can tell yet. */
  readonly forecast?: ReachForecast;
}

export class KeptHistories {
  readonly #parts: KeptHistoriesParts;
  /** One for each, for as long as the process lives: they know how time goes by. */
  readonly #histories = new Map<string, GroupHistory>();
  #freeBytes: number | undefined;

  constructor(parts: KeptHistoriesParts) {
    this.#parts = parts;
  }

  of(group: string): GroupHistory {
    const known = this.#histories.get(group);
    if (known !== undefined) return known;
    const { machine, objects, key, reserve } = this.#parts;
    const { clock, randomness } = machine;
    const history = new GroupHistory({ clock, randomness, objects, key, group, reserve });
    this.#histories.set(group, history);
    return history;
  }

  /** No point of the group before this one is kept. */
  async oldestSeq(group: string): Promise<number> {
    return (await this.of(group).history()).basedOn;
  }

  /** Of all groups. */
  async windows(): Promise<readonly HistoryWindow[]> {
    const groups = await storedGroups(this.#parts.objects);
    const forecast = await unlessUnreadable(this.#forecast(groups.map((group) => this.of(group))));
    // What is damaged of one hides nothing of the others.
    const windows = await Promise.all(groups.map((group) => unlessUnreadable(this.#window(group, forecast))));
    return windows.filter((window) => window !== undefined);
  }

  async #window(group: string, forecast: ReachForecast | undefined): Promise<HistoryWindow> {
    const history = this.of(group);
    const fromSeq = await this.oldestSeq(group);
    const oldestMicros = await unlessUnreadable(oldestMicrosOf(history));
    const told = oldestMicros === undefined ? {} : { oldestMicros };
    return { group, fromSeq, ...told, ...(forecast === undefined ? {} : { forecast }) };
  }

  /** Of the store's disk, as of the last look at the windows. Undefined: it is not known. */
  get freeBytes(): number | undefined {
    return this.#freeBytes;
  }

  /** Of the store as a whole: its groups share the room. */
  async #forecast(histories: readonly GroupHistory[]): Promise<ReachForecast | undefined> {
    const room = this.#parts.room?.();
    this.#freeBytes = room?.freeBytes;
    const { keepMs, ageing } = this.#parts;
    return room && (await storeForecast({ histories, room, keepMicros: keepMs * 1000, ageing }));
  }

  async plan(): Promise<readonly GroupRetention[]> {
    const groups = await storedGroups(this.#parts.objects);
    return Promise.all(groups.map(async (group) => ({ group, plan: await this.of(group).planRetention(this.#wish) })));
  }

  /** What is expired goes; its blocks are for collection. */
  async retain(control: WorkControl): Promise<readonly GroupRetention[]> {
    const done: GroupRetention[] = [];
    for (const group of await storedGroups(this.#parts.objects)) {
      control.throwIfCancelled();
      done.push({ group, plan: await this.of(group).retain(this.#wish, control) });
    }
    return done;
  }

  async planAgeing(): Promise<readonly GroupAgeingPlan[]> {
    const groups = await storedGroups(this.#parts.objects);
    const { ageing } = this.#parts;
    return Promise.all(groups.map(async (group) => ({ group, plan: await this.of(group).planAgeing(ageing) })));
  }

  /** Points that have come of age become fewer; what no point needs any more then is for collection. */
  async age(control: WorkControl): Promise<readonly AgedGroup[]> {
    const done: AgedGroup[] = [];
    for (const group of await storedGroups(this.#parts.objects)) {
      done.push({ group, outcome: await this.of(group).age(this.#parts.ageing, control) });
    }
    return done;
  }

  get #wish(): { readonly keepMicros?: number } {
    const { keepMs } = this.#parts;
    return Number.isFinite(keepMs) ? { keepMicros: keepMs * 1000 } : {};
  }
}

/** Undefined: none is sealed. */
async function oldestMicrosOf(history: Pick<GroupHistory, "newestRecord" | "spanMicros">): Promise<number | undefined> {
  const newest = await history.newestRecord();
  return newest === undefined ? undefined : newest.timeMicros - (await history.spanMicros());
}
