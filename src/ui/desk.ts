/** What the page does: keeps its state true to the appliance, and carries out what somebody asks for. */
import type { MarkReport, StatusReport } from "#src/control/control-plane.ts";
import type { DensityReport, PointReport } from "#src/control/density.ts";
import type { DifferenceReport } from "#src/control/difference.ts";
import type { JobReport } from "#src/control/job.ts";
import type { ViewFacts } from "#src/control/view.ts";
import type { TimelineReport } from "#src/control/volume-history.ts";
import { Api, ApiError } from "./api.ts";
import type { Browser } from "./browser.ts";
import { begunAnew, type PageEvent, withEvent } from "./event-log.ts";
import { isOver, isToBeSeen } from "./job-words.ts";
import { unambiguousName } from "./levels.ts";
import { Live } from "./live.ts";
import { type Connection, firstState, type PageState, type VolumeWindow, withStatus } from "./page-state.ts";
import type { ShownVolume } from "./shown-volumes.ts";
import { oldestMs } from "./timeline-shape.ts";

/** How long after an answer the next one is asked for: while events come by themselves, and while they do not. */
const lookMs = { live: 1000, asking: 2000 } as const;
/** An appliance answers within half a second, whatever stands still there. Longer, and nobody knows how things are. */
const lookPatienceMs = 5000;
const eventRestMs = 50;
/** Nothing tells of what hosts write to views. */
const viewsLookMs = 10_000;
/** After these another view may be open, or one that was is not. */
const viewEvents: readonly string[] = ["audit", "alarm", "program"];

export interface RestoreOrder {
  readonly volume: string;
  readonly point: string;
  readonly target: string;
  readonly overwrite: boolean;
  /** The volume's name once more, where it is restored onto itself. */
  readonly confirm?: string;
}

export class Desk {
  readonly browser: Browser;
  readonly #api: Api;
  readonly #live: Live;
  readonly #watchers = new Set<() => void>();
  #state = firstState;
  #takeBackLook: (() => void) | undefined;
  /** Looks that were begun: what an older one answers late is left aside. */
  #lookCount = 0;
  /** Likewise of the views. */
  #viewsCount = 0;
  #viewsMs = 0;
  #areViewsInDoubt = false;
  #isStreaming = false;
  #takeBackSoon: (() => void) | undefined;

  constructor(browser: Browser) {
    this.browser = browser;
    this.#api = new Api(browser, () => this.#refuse());
    this.#live = new Live(browser, {
      place: () => ({ token: this.#api.token, afterId: this.#state.log.lastId }),
      begunAnew: () => this.#set({ log: begunAnew(this.#state.log) }),
      heard: (event) => this.#heard(event),
      opened: () => this.#openedStream(),
      lost: (againAtMs) => this.#lostStream(againAtMs),
    });
  }

  get state(): PageState {
    return this.#state;
  }

  /** Answers what ends it. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  #set(change: Partial<PageState>): void {
    this.#state = { ...this.#state, ...change };
    for (const changed of this.#watchers) changed();
  }

  start(): void {
    void this.#look();
    void this.#askWho();
    void this.refreshViews();
    this.#live.connect();
  }

  logIn(token: string): void {
    this.#api.useToken(token);
    this.#set({ login: "none", connection: { kind: "first" } });
    this.start();
  }

  /** What was seen with it is forgotten too, and what is shown without one is asked for. */
  logOut(): void {
    this.#api.useToken(undefined);
    this.#set(firstState);
    this.start();
  }

  /** Where without one it is only looked. */
  askForToken(): void {
    this.#set({ login: "offered" });
  }

  goOnWithoutToken(): void {
    if (this.hasToken) this.logOut();
    else this.#set({ login: "none" });
  }

  get hasToken(): boolean {
    return this.#api.token !== undefined;
  }

  #refuse(): void {
    const login = this.#api.token === undefined ? "needed" : "refused";
    this.#live.stop();
    this.#takeBackLook?.();
    this.#set({ login });
  }

  connectNow(): void {
    void this.#look();
    this.#live.connect();
  }

  #heard(event: PageEvent): void {
    this.#set({ log: withEvent(this.#state.log, event) });
    if (viewEvents.includes(event.kind)) this.#areViewsInDoubt = true;
    // Several come at once, and all of them may have changed what is shown.
    this.#takeBackSoon?.();
    this.#takeBackSoon = this.browser.after(eventRestMs, () => void this.#look());
  }

  #openedStream(): void {
    this.#isStreaming = true;
    void this.#look();
  }

  async #look(): Promise<void> {
    this.#takeBackLook?.();
    const look = ++this.#lookCount;
    // A connection whose other end is gone without a word would be waited for for many minutes.
    const patience = new AbortController();
    const answered = this.browser.after(lookPatienceMs, () => patience.abort());
    try {
      const status = await this.#api.ask<StatusReport>("GET", ["status"], { signal: patience.signal });
      if (look !== this.#lookCount) return;
      const { connection } = this.#state;
      const next: Connection = this.#isStreaming ? { kind: "live" } : { kind: "asking" };
      this.#set({ ...withStatus(this.#state, status, this.browser.nowMs()), connection: next });
      if (connection.kind === "lost" || this.#areViewsOld(status)) void this.refreshViews();
    } catch (error) {
      if (look !== this.#lookCount || (error instanceof ApiError && error.status === 401)) return;
      this.#lost(this.browser.nowMs() + lookMs.asking);
    } finally {
      answered();
    }
    this.#takeBackLook = this.browser.after(this.#isStreaming ? lookMs.live : lookMs.asking, () => void this.#look());
  }

  #lostStream(againAtMs: number): void {
    this.#isStreaming = false;
    if (this.#state.connection.kind === "lost") this.#lost(againAtMs);
    void this.#look();
  }

  #lost(againAtMs: number): void {
    const { connection } = this.#state;
    const sinceMs = connection.kind === "lost" ? connection.sinceMs : this.browser.nowMs();
    this.#set({ connection: { kind: "lost", sinceMs, againAtMs } });
  }

  /** Whoever may only look is offered nothing else. */
  async #askWho(): Promise<void> {
    try {
      const { role } = await this.#api.ask<{ readonly role: string }>("GET", ["caller"]);
      this.#set({ mayOperate: role !== "read" });
    } catch {
      // What he may not do the appliance refuses in any case.
    }
  }

  /** Where there is no remote appliance there are none. */
  #areViewsOld({ roles }: StatusReport): boolean {
    const isTime = this.browser.nowMs() - this.#viewsMs >= viewsLookMs;
    return roles.includes("remote") && (this.#areViewsInDoubt || isTime);
  }

  async refreshViews(): Promise<void> {
    const look = ++this.#viewsCount;
    this.#viewsMs = this.browser.nowMs();
    this.#areViewsInDoubt = false;
    try {
      const { views } = await this.#api.ask<{ readonly views: readonly ViewFacts[] }>("GET", ["views"]);
      if (look === this.#viewsCount) this.#set({ views });
    } catch {
      // Where there is no remote appliance there are none; what is lost is told already.
    }
  }

  // What is asked for

  async timeline(volume: string): Promise<TimelineReport> {
    const report = await this.#api.ask<TimelineReport>("GET", ["volumes", volume, "timeline"]);
    this.#set({ windows: new Map([...this.#state.windows, [volume, windowOf(report)]]) });
    return report;
  }

  density(volume: string, fromMs: number, toMs: number, buckets: number): Promise<DensityReport> {
    const [from, to] = [fromMs, toMs].map((ms) => new Date(Math.max(0, ms)).toISOString());
    return this.#api.ask("GET", ["volumes", volume, "density"], { query: { from, to, buckets: String(buckets) } });
  }

  /** What a point in words stands for, or the last one before it. */
  point(volume: string, words: string): Promise<PointReport> {
    return this.#api.ask("GET", ["volumes", volume, "points", words], { query: { nearest: "true" } });
  }

  difference(volume: string, from: string, start: number): Promise<DifferenceReport> {
    return this.#api.ask("GET", ["volumes", volume, "diff"], { query: { from, to: "now", start: String(start) } });
  }

  async setMode(group: string, mode: string): Promise<void> {
    await this.#api.ask("PUT", ["groups", group, "mode"], { body: { mode } });
    await this.#look();
  }

  async setLevel(group: string, volume: string, level: string): Promise<void> {
    const name = unambiguousName(this.#state.status?.groups ?? [], group, volume);
    await this.#api.ask("PUT", ["volumes", name, "level"], { body: { level } });
    await this.#look();
  }

  mark(group: string, name: string): Promise<MarkReport> {
    return this.#api.ask("POST", ["groups", group, "marks"], { body: { name } });
  }

  async openView(volume: string, point: string, writable: boolean): Promise<ViewFacts> {
    const view = await this.#api.ask<ViewFacts>("POST", ["views"], { body: { volume, point, writable } });
    await this.refreshViews();
    return view;
  }

  /** `isDiscarded`: what was written to it goes. */
  async closeView(name: string, isDiscarded: boolean): Promise<void> {
    await this.#api.ask("DELETE", ["views", name], { query: { discard: isDiscarded ? "true" : undefined } });
    await this.refreshViews();
  }

  restore(order: RestoreOrder): Promise<JobReport> {
    return this.#api.ask("POST", ["restores"], { body: order });
  }

  /**
   * Of points of the volume, whoever has asked for them: the last one that is not over, or else the first that went wrong lately and that
   * nobody here has seen.
   */
  async restoreToShow(volume: ShownVolume): Promise<JobReport | undefined> {
    const { jobs } = await this.#api.ask<{ readonly jobs: readonly JobReport[] }>("GET", ["jobs"]);
    const { name, group, reference } = volume;
    const names = [reference, name, `${group}/${name}`];
    const own = jobs.filter(({ restore }) => restore !== undefined && names.includes(restore.volume));
    const seen = this.browser.kept(seenKey(volume)) ?? "";
    const isUnseen = (job: JobReport) => isToBeSeen(job, this.browser.nowMs()) && (job.ended ?? "") > seen;
    return own.findLast((job) => !isOver(job)) ?? own.filter(isUnseen).sort(byEnd)[0];
  }

  /** One that is over: if it went wrong it is not shown again. */
  sawRestore(volume: ShownVolume, job: JobReport): void {
    if (isToBeSeen(job, this.browser.nowMs())) this.browser.keep(seenKey(volume), job.ended);
  }

  job(id: number): Promise<JobReport> {
    return this.#api.ask("GET", ["jobs", String(id)]);
  }

  cancelJob(id: number): Promise<JobReport> {
    return this.#api.ask("DELETE", ["jobs", String(id)]);
  }
}

function byEnd({ ended: one = "" }: JobReport, { ended: other = "" }: JobReport): number {
  return one < other ? -1 : 1;
}

function seenKey({ reference }: ShownVolume): string {
  return `restore seen ${reference}`;
}

function windowOf(report: TimelineReport): VolumeWindow | undefined {
  if (report.newest === null) return undefined;
  const { seq, time } = report.newest;
  return { fromMs: oldestMs(report), newestSeq: seq, newestMs: Date.parse(time) };
}
