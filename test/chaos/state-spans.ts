/**
 * What programs have said of their own state, and for how long it was so without a break. Pure: fed with what each has said, and when it
 * was asked and answered.
 */
import type { StatusReport } from "#src/control/control-plane.ts";
import type { RoleName } from "#test/oracle/sites.ts";

export type ToldState = Pick<StatusReport, "silent" | "volumes" | "groups" | "remoteGroups">;

export interface Look {
  readonly askedMs: number;
  readonly answeredMs: number;
}

/** It was so for this long at the least. */
export interface StateSpan {
  readonly alarm: string;
  readonly label: "volume" | "group";
  readonly who: string;
  readonly fromMs: number;
  readonly toMs: number;
}

interface Rule {
  readonly alarm: string;
  readonly role: RoleName;
  readonly label: "volume" | "group";
  /** Names of those to which it happens. */
  readonly of: (status: ToldState) => readonly string[];
}

/** A look that comes later than this says nothing of the time between. */
export const gapMaxMs = 2500;
/** A state is told within a second, scraped within another and judged within a third: more than twice of that, on a busy machine. */
export const surelyMs = 8000;

const standing: ReadonlySet<string> = new Set(["stalled", "full", "failed", "stopped", "opening", "redoing"]);

function volumesThat(is: (state: string) => boolean): Rule["of"] {
  return ({ volumes }) => volumes.filter(({ state }) => is(state)).map(({ name }) => name);
}

function groupsThat(is: (group: ToldState["groups"][number]) => boolean): Rule["of"] {
  return ({ groups }) => groups.filter(is).map(({ name }) => name);
}

const ofVolumes = { role: "interceptor", label: "volume" } as const;
const ofGroups = { role: "local", label: "group" } as const;

const rules: readonly Rule[] = [
  { ...ofVolumes, alarm: "TidemarkVolumeUnprotected", of: volumesThat((state) => state === "tracking") },
  { ...ofVolumes, alarm: "TidemarkVolumeStands", of: volumesThat((state) => standing.has(state)) },
  { ...ofVolumes, alarm: "TidemarkVolumeFenced", of: volumesThat((state) => state === "fenced") },
  { ...ofGroups, alarm: "TidemarkLinkDown", of: groupsThat(({ linkUp }) => !linkUp) },
  { ...ofGroups, alarm: "TidemarkSyncSuspended", of: groupsThat(({ state }) => state === "suspended") },
  { ...ofGroups, alarm: "TidemarkGroupStands", of: groupsThat(({ state }) => state === "stalled") },
  { ...ofGroups, alarm: "TidemarkGroupStopped", of: groupsThat(({ state }) => state === "stopped") },
  {
    ...{ alarm: "TidemarkGroupFull", role: "remote", label: "group" },
    of: ({ remoteGroups }) => remoteGroups.filter(({ state }) => state === "full").map(({ name }) => name),
  },
];

type OpenSpan = { -readonly [Field in keyof StateSpan]: StateSpan[Field] };

export class StateSpans {
  readonly #open = new Map<string, OpenSpan>();
  #lasted = new Set<OpenSpan>();

  /** `status`: undefined where nothing was told. What was so before has ended then, as far as anybody knows. */
  look(role: RoleName, status: ToldState | undefined, at: Look): void {
    for (const rule of rules) {
      if (rule.role !== role) continue;
      const all = status === undefined || status.silent.length > 0 ? [] : rule.of(status);
      this.#end(rule, all);
      for (const who of all) this.#note(rule, who, at);
    }
  }

  /** Those that have lasted for so long, since this was asked last, that an alarm must have fired. */
  takeLasted(): readonly StateSpan[] {
    const lasted = [...this.#lasted].map((span) => ({ ...span }));
    this.#lasted = new Set();
    return lasted;
  }

  #note({ alarm, label }: Rule, who: string, { askedMs, answeredMs }: Look): void {
    const key = `${alarm} ${who}`;
    const span = this.#open.get(key);
    if (span === undefined || askedMs - span.toMs > gapMaxMs) {
      this.#open.set(key, { alarm, label, who, fromMs: answeredMs, toMs: answeredMs });
      return;
    }
    span.toMs = Math.max(span.toMs, askedMs);
    if (span.toMs - span.fromMs >= surelyMs) this.#lasted.add(span);
  }

  #end({ alarm }: Rule, still: readonly string[]): void {
    for (const [key, span] of this.#open) if (span.alarm === alarm && !still.includes(span.who)) this.#open.delete(key);
  }
}
