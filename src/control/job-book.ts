/**
 * Which long works there are, which is next, and what became of those that are over. Of those over the store one is under way at a
 * time, and makes way for what is wanted more; a few restores go on beside it. Pure; what it keeps goes into a document.
 *
 * Invariants: of a lane not more jobs run than it is wide; of one kind over the store at most one waits or runs, apart from dry
 * runs, and from a scrub of everything behind one that has begun elsewhere; of restores one for each target; ids are given once.
 */
import { assert } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";
import { restoresAtOnce } from "#src/core/restore-limits.ts";
import { jobRetryMs, jobRetryMsMax, jobsKeptMax } from "#src/core/store-limits.ts";
import type { Job } from "./job.ts";
import { type WorkKind, type WorkRequest, type WorkResult, workKinds } from "./store-work.ts";

/** What there is besides the jobs: when one of each kind was last done, in the wall's time. */
export interface JobBookContent {
  readonly lastId: number;
  readonly lastDoneMs: Readonly<Partial<Record<WorkKind, number>>>;
  readonly jobs: readonly Job[];
}

/** `later`: it may be tried again, and goes on then. */
export type JobOutcome =
  | { readonly kind: "done"; readonly result: WorkResult }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "cancelled" }
  | { readonly kind: "later"; readonly why: string };

interface Pause {
  readonly notBeforeMs: number;
  readonly count: number;
}

export class JobBook {
  readonly #jobs: Map<number, Job>;
  readonly #lastDoneMs: Partial<Record<WorkKind, number>>;
  /** By the monotonic clock, of those that were put off. */
  readonly #pauses = new Map<number, Pause>();
  #lastId: number;

  constructor({ lastId, lastDoneMs, jobs }: JobBookContent = { lastId: 0, lastDoneMs: {}, jobs: [] }) {
    this.#lastId = lastId;
    this.#lastDoneMs = { ...lastDoneMs };
    this.#jobs = new Map(jobs.map((job) => [job.id, job.state === "running" ? afterStart(job) : job]));
  }

  get content(): JobBookContent {
    return { lastId: this.#lastId, lastDoneMs: this.#lastDoneMs, jobs: this.all };
  }

  /** The newest is last. */
  get all(): readonly Job[] {
    return [...this.#jobs.values()];
  }

  runningIn(lane: Lane): readonly Job[] {
    return this.all.filter(({ state, request }) => state === "running" && laneOf(request) === lane);
  }

  get(id: number): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Who asks for what is to be done already gets that; but who wants all of it, nothing that has begun elsewhere. */
  add(request: WorkRequest, isOfSchedule: boolean, wallMs: number): Job {
    const isAnew = request.isAnew === true;
    const asked = isAnew ? { ...request, askedMicros: Math.round(wallMs * 1000) } : request;
    const open = this.all.filter((job) => isSame(job.request, request) && !isOver(job));
    const known = open.find((job) => !isAnew || job.request.isAnew === true);
    const waiting = open.find(({ state }) => state === "waiting");
    const same = known ?? waiting;
    // Somebody wants it now.
    if (same !== undefined) this.#pauses.delete(same.id);
    if (known !== undefined) return known;
    const made: Omit<Job, "request" | "isOfSchedule"> = waiting ?? {
      id: ++this.#lastId,
      state: "waiting",
      madeMs: wallMs,
    };
    const job: Job = { ...made, request: asked, isOfSchedule };
    this.#jobs.set(job.id, job);
    return job;
  }

  /** The one that is wanted most of those whose time has come; the one asked for first. */
  next(lane: Lane, nowMs: number): Job | undefined {
    const isDue = ({ state, id, request }: Job) =>
      state === "waiting" && laneOf(request) === lane && this.#notBefore(id) <= nowMs;
    const waiting = this.all.filter(isDue);
    return waiting.sort((a, b) => ranks[a.request.kind] - ranks[b.request.kind] || a.id - b.id)[0];
  }

  /** When one that was put off is next; undefined: none was. */
  get nextAtMs(): number | undefined {
    const times = this.all.filter(({ state }) => state === "waiting").map(({ id }) => this.#notBefore(id));
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #notBefore(id: number): number {
    return this.#pauses.get(id)?.notBeforeMs ?? Number.NEGATIVE_INFINITY;
  }

  hasRoom(lane: Lane): boolean {
    return this.runningIn(lane).length < widths[lane];
  }

  /** The job under way over the store is to make way for another one. */
  hurriesMore(nowMs: number): boolean {
    const [running] = this.runningIn("store");
    const next = this.next("store", nowMs);
    if (running === undefined || next === undefined) return false;
    return ranks[next.request.kind] < ranks[running.request.kind];
  }

  begin(id: number, wallMs: number): void {
    const job = this.#known(id);
    assert(this.hasRoom(laneOf(job.request)), "not more jobs are under way than there may be");
    const { why: _, ...rest } = job;
    this.#jobs.set(id, { ...rest, state: "running", startedMs: job.startedMs ?? wallMs });
  }

  end(id: number, outcome: JobOutcome, nowMs: number, wallMs: number): void {
    const { cancelledMs: _, ...job } = this.#known(id);
    if (outcome.kind === "later") {
      const count = (this.#pauses.get(id)?.count ?? 0) + 1;
      const pauseMs = Math.min(jobRetryMs * 2 ** (count - 1), jobRetryMsMax);
      this.#pauses.set(id, { count, notBeforeMs: nowMs + pauseMs });
      this.#jobs.set(id, { ...job, state: "waiting", why: outcome.why });
      return;
    }
    this.#pauses.delete(id);
    const { kind, ...more } = outcome;
    this.#jobs.set(id, { ...job, ...more, state: kind, endedMs: wallMs });
    // Also one that failed is not begun again at once.
    if (!job.request.isDry && kind !== "cancelled") this.#lastDoneMs[job.request.kind] = wallMs;
    this.#letGo();
  }

  /** It makes way, and goes on when nothing hurries more. */
  putBack(id: number): void {
    this.#jobs.set(id, { ...this.#known(id), state: "waiting" });
  }

  /** Of one that was told to end: if the program ends first, it does not go on with the next start. */
  cancelled(id: number, wallMs: number): void {
    const job = this.#jobs.get(id);
    if (job?.state === "running") this.#jobs.set(id, { ...job, cancelledMs: wallMs });
  }

  /** Throws a `RefuseError` where it is over. */
  cancel(id: number, wallMs: number): void {
    const job = this.#known(id);
    if (job.state !== "waiting") throw new RefuseError(`job ${id} is ${job.state}`);
    this.#jobs.set(id, { ...job, state: "cancelled", endedMs: wallMs });
    this.#letGo();
  }

  /**
   * Whether one of this kind is to be done so often, and is due. The time begins when it is first asked after; a clock that was
   * put back does not make it wait longer.
   */
  isDue(kind: WorkKind, everyMs: number, wallMs: number): boolean {
    const lastMs = Math.min(this.#lastDoneMs[kind] ?? wallMs, wallMs);
    this.#lastDoneMs[kind] = lastMs;
    return wallMs - lastMs >= everyMs;
  }

  #known(id: number): Job {
    const job = this.#jobs.get(id);
    assert(job !== undefined, "a job that is asked after is there");
    return job;
  }

  /** Of those that are over the oldest. */
  #letGo(): void {
    const over = this.all.filter(isOver);
    for (const { id } of over.slice(0, Math.max(0, over.length - jobsKeptMax))) this.#jobs.delete(id);
  }
}

/** What was under way when the program ended goes on, unless somebody had cancelled it. */
function afterStart({ cancelledMs, ...job }: Job): Job {
  if (cancelledMs === undefined) return { ...job, state: "waiting" };
  return { ...job, state: "cancelled", endedMs: cancelledMs };
}

function isSame(a: WorkRequest, b: WorkRequest): boolean {
  return a.kind === b.kind && a.isDry === b.isDry && a.restore?.target === b.restore?.target;
}

function isOver({ state }: Job): boolean {
  return state !== "waiting" && state !== "running";
}

/** What does not wait for each other. */
export type Lane = "store" | "restores";
export const lanes: readonly Lane[] = ["store", "restores"];
const widths: Readonly<Record<Lane, number>> = { store: 1, restores: restoresAtOnce };

export function laneOf({ kind }: WorkRequest): Lane {
  return kind === "restore" ? "restores" : "store";
}

const ranks = Object.fromEntries(workKinds.map((kind, rank) => [kind, rank])) as Readonly<Record<WorkKind, number>>;
