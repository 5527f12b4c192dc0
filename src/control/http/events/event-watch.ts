/** What has happened between two looks at the status. Pure: a status in, events out. */
import { lagEventOverSeconds, lagEventSeconds } from "#src/core/http-limits.ts";
import type { StatusReport } from "../../control-plane.ts";
import type { EventDraft } from "./event.ts";

type Watched = Pick<StatusReport, "volumes" | "groups" | "store" | "why" | "problems">;
type Group = Watched["groups"][number];
type Volume = Watched["volumes"][number];

export class EventWatch {
  #last: Watched | undefined;
  readonly #lagging = new Set<string>();

  /** What is there has not happened just now. What is wrong may be over at the first look, and is told if it is not. */
  begin({ volumes, groups, store }: Watched): void {
    this.#last = { volumes, groups, ...(store === undefined ? {} : { store }), problems: [] };
  }

  look(now: Watched): EventDraft[] {
    if (this.#last === undefined) this.begin(now);
    const before = this.#last as Watched;
    this.#last = now;
    return [
      ...alarms(before, now),
      ...volumeEvents(before.volumes, now.volumes),
      ...now.groups.flatMap((group) =>
        this.#groupEvents(
          before.groups.find(({ id }) => id === group.id),
          group,
        ),
      ),
      ...storeEvents(before.store, now.store),
    ];
  }

  #groupEvents(before: Group | undefined, now: Group): EventDraft[] {
    return [...modeEvents(before, now), ...linkEvents(before, now), ...this.#lagEvents(now)];
  }

  /** Not at each look: when it becomes worth a word, and when it is over. */
  #lagEvents({ id, name, lagSeconds, lagBytes, lagRecords }: Group): EventDraft[] {
    const was = this.#lagging.has(id);
    const is = lagSeconds >= (was ? lagEventOverSeconds : lagEventSeconds);
    if (was === is) return [];
    if (is) this.#lagging.add(id);
    else this.#lagging.delete(id);
    return [
      { kind: "lag", facts: { group: name, lagging: is, seconds: lagSeconds, bytes: lagBytes, records: lagRecords } },
    ];
  }
}

/** Each switch with its reason; then what no switch says: what is asked for, and sync that holds again after a restart. */
function modeEvents(before: Group | undefined, now: Group): EventDraft[] {
  if (before === undefined) return [];
  const { name, mode, wantedMode, why } = now;
  const toldSeq = switchesInForce(before).at(-1)?.seq ?? 0;
  const news = switchesInForce(now).filter(({ seq }) => seq > toldSeq);
  const told = news.map((one): EventDraft => {
    const { from, to, seq } = one;
    return { kind: "mode", facts: { group: name, from, to, wanted: wantedMode, seq, why: one.why } };
  });
  const from = news.at(-1)?.to ?? before.mode;
  const isAsked = before.wantedMode !== wantedMode && news.length === 0;
  if (from === mode && !isAsked) return told;
  return [...told, { kind: "mode", facts: { group: name, from, to: mode, wanted: wantedMode, ...because(why) } }];
}

/** One to sync is told when it holds, or when it was left before it did. */
function switchesInForce({ mode, lastSwitches = [] }: Group): NonNullable<Group["lastSwitches"]> {
  const isWaiting = lastSwitches.at(-1)?.to === "sync" && mode !== "sync";
  return isWaiting ? lastSwitches.slice(0, -1) : lastSwitches;
}

function linkEvents(before: Group | undefined, { name, linkUp, linkWhy }: Group): EventDraft[] {
  if (before === undefined || before.linkUp === linkUp) return [];
  return [{ kind: "link", facts: { group: name, up: linkUp, ...(linkUp ? {} : because(linkWhy)) } }];
}

function volumeEvents(before: readonly Volume[], now: readonly Volume[]): EventDraft[] {
  const gone = before.filter(({ name }) => !now.some((one) => one.name === name));
  return [
    ...gone.map(
      ({ name, group }): EventDraft => ({ kind: "volume", facts: { volume: name, group, state: "removed" } }),
    ),
    ...now.flatMap(({ name, group, state, why }): EventDraft[] => {
      const was = before.find((one) => one.name === name);
      if (was?.state === state) return [];
      return [{ kind: "volume", facts: { volume: name, group, state, ...because(why) } }];
    }),
  ];
}

function storeEvents(before: Watched["store"], now: Watched["store"]): EventDraft[] {
  const made = (now?.state?.synthesis.made ?? 0) - (before?.state?.synthesis.made ?? 0);
  const [was, is] = [before?.job, now?.job];
  return [
    ...(made > 0 && before?.state !== undefined ? [{ kind: "snapshot", facts: { made } } as const] : []),
    ...(was !== undefined && was.id !== is?.id ? [jobEvent(was, "over")] : []),
    ...(is !== undefined && is.id !== was?.id ? [jobEvent(is, "running")] : []),
  ];
}

function jobEvent(
  { id, kind, dryRun }: { readonly id: number; readonly kind: string; readonly dryRun: boolean },
  state: string,
) {
  return { kind: "job", facts: { job: id, work: kind, dryRun, state } } as const;
}

/** What is told in the same words goes on, and so does what only has other figures in it. */
function alarms(before: Watched, now: Watched): EventDraft[] {
  const [was, is] = [troublesOf(before), troublesOf(now)];
  const ended = without(was, is);
  const begun = without(is, was);
  const [endedKeys, begunKeys] = [ended, begun].map((texts) => new Set(texts.map(withoutFigures)));
  return [
    ...begun.filter((text) => endedKeys?.has(withoutFigures(text)) !== true).map((problem) => alarm(problem, true)),
    ...ended.filter((text) => begunKeys?.has(withoutFigures(text)) !== true).map((problem) => alarm(problem, false)),
  ];
}

function troublesOf({ why, problems }: Pick<Watched, "why" | "problems">): readonly string[] {
  return why === undefined ? problems : [why, ...problems];
}

function without(texts: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others);
  return texts.filter((text) => !known.has(text));
}

/** A number that is part of a name is no figure: one volume may differ from another by that alone. */
function withoutFigures(text: string): string {
  return text.replace(/(?<![\w.-])\d+(\.\d+)?(?![\w-]|\.\w)/g, "#");
}

function alarm(problem: string, isOn: boolean): EventDraft {
  return { kind: "alarm", facts: { problem, on: isOn } };
}

function because(why: string | undefined): { readonly why?: string } {
  return why === undefined ? {} : { why };
}
