/**
 * Does the long works that were asked for, and those whose time has come. What there is to do is
 * kept in a document, so that it goes on after a restart; where that cannot be written the jobs are done all the same.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { jobForRoomMs, jobLookMs } from "#src/core/store-limits.ts";
import type { Timer } from "#src/host/clock.ts";
import { type DocumentKind, publishDocument, readDocument } from "#src/host/document.ts";
import type { Machine } from "#src/host/machine.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import { inWords } from "#src/host/system-words.ts";
import { CancelledError } from "#src/store/work-control.ts";
import { type Job, type JobReport, reportOf } from "./job.ts";
import { JobBook, type JobBookContent, type JobOutcome, type Lane, laneOf, lanes } from "./job-book.ts";
import { JobMeter } from "./job-meter.ts";
import type { StoreClient } from "./store-client.ts";
import type { WorkKind, WorkNews, WorkRequest, WorkResult } from "./store-work.ts";

const kind: DocumentKind = { format: "tidemark-jobs", version: 1 };

/** Who does works of one lane. */
export interface JobWorker {
  /** Rejects with a `CancelledError` when it was told to end. */
  work(request: WorkRequest): Promise<WorkResult>;
  /** Resolves when it was told. */
  end(request: WorkRequest): Promise<void>;
  news(request: WorkRequest): WorkNews | undefined;
  /** The job is over, and is not begun again. `isDone`: it was neither cancelled nor has it failed. */
  over(request: WorkRequest, isDone: boolean): void;
}

interface UnderWay {
  readonly request: WorkRequest;
  readonly meter: JobMeter;
  /** Why it was told to end. */
  ending: "cancelled" | "makes way" | undefined;
}

export interface JobRunnerParts {
  readonly machine: Pick<Machine, "files" | "clock" | "log">;
  /** Of the document. Its folder is there. */
  readonly path: string;
  readonly store: Pick<StoreClient, "work" | "endWork" | "workNews">;
  /** Absent: there are none. */
  readonly restores?: JobWorker;
  /** How often which work is begun although nobody asks; `Infinity`: never. */
  readonly everyMs: Readonly<Partial<Record<WorkKind, number>>>;
}

export class JobRunner {
  readonly #parts: JobRunnerParts;
  readonly #book: JobBook;
  readonly #underWay = new Map<number, UnderWay>();
  readonly #workers: Readonly<Record<Lane, JobWorker>>;
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isStopped = false;

  private constructor(parts: JobRunnerParts, book: JobBook) {
    this.#parts = parts;
    this.#book = book;
    this.#workers = { store: storeWorker(parts.store), restores: parts.restores ?? nobody };
  }

  static open(parts: JobRunnerParts): JobRunner {
    const content = contentOf(parts);
    const runner = new JobRunner(parts, new JobBook(content));
    runner.#look();
    // From now on it is known since when nothing was done.
    if (content === undefined) void runner.#keep();
    return runner;
  }

  /** The newest is last. */
  reports(): JobReport[] {
    this.#measure();
    return this.#book.all.map((job) => reportOf(job, this.#underWay.get(job.id)?.meter.progress));
  }

  async add(request: WorkRequest): Promise<JobReport> {
    const job = this.#book.add(request, false, this.#parts.machine.clock.wallMs());
    await this.#keep();
    this.#step();
    return this.report(job.id);
  }

  /** Throws a `RefuseError` where there is none. */
  report(id: number): JobReport {
    const report = this.reports().find((one) => one.id === id);
    if (report === undefined) throw new RefuseError(`there is no job ${id}`);
    return report;
  }

  /** Of one under way: resolves when it was told to end, which it does where that is safe. */
  async cancel(id: number): Promise<JobReport> {
    this.report(id);
    const underWay = this.#underWay.get(id);
    if (underWay !== undefined) {
      underWay.ending = "cancelled";
      await this.#workerOf(underWay.request).end(underWay.request);
      // The program may end before it does.
      this.#book.cancelled(id, this.#parts.machine.clock.wallMs());
      await this.#keep();
    } else {
      this.#book.cancel(id, this.#parts.machine.clock.wallMs());
      const request = this.#book.get(id)?.request;
      if (request !== undefined) this.#workerOf(request).over(request, false);
      await this.#keep();
    }
    return this.report(id);
  }

  /** The store's disk is full: what is not to be kept goes now, unless it was just tried. */
  roomIsNeeded(): void {
    const { clock } = this.#parts.machine;
    const everyMs = Math.min(this.#parts.everyMs.collect ?? Number.POSITIVE_INFINITY, jobForRoomMs);
    const isWanted = this.#parts.everyMs.collect !== Number.POSITIVE_INFINITY;
    if (!isWanted || !this.#book.isDue("collect", everyMs, clock.wallMs())) return;
    this.#book.add({ kind: "collect", isDry: false }, true, clock.wallMs());
    this.#step();
  }

  /** Nothing is begun any more. What is under way ends with the store, and goes on after the next start. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #look(): void {
    const { machine, everyMs } = this.#parts;
    this.#timer = machine.clock.timer(jobLookMs, () => this.#look());
    const wallMs = machine.clock.wallMs();
    for (const [work, ms] of Object.entries(everyMs) as [WorkKind, number][]) {
      if (this.#book.isDue(work, ms, wallMs)) this.#book.add({ kind: work, isDry: false }, true, wallMs);
    }
    this.#measure();
    this.#step();
  }

  #measure(): void {
    const nowMs = this.#parts.machine.clock.monotonicMs();
    for (const { request, meter } of this.#underWay.values()) {
      const news = this.#workerOf(request).news(request);
      if (news !== undefined) meter.told(news, nowMs);
    }
  }

  #workerOf(request: WorkRequest): JobWorker {
    return this.#workers[laneOf(request)];
  }

  #step(): void {
    if (this.#isStopped) return;
    for (const lane of lanes) this.#stepIn(lane);
  }

  #stepIn(lane: Lane): void {
    const { clock } = this.#parts.machine;
    const nowMs = clock.monotonicMs();
    if (!this.#book.hasRoom(lane)) {
      if (lane === "store" && this.#book.hurriesMore(nowMs)) this.#makeWay();
      return;
    }
    const next = this.#book.next(lane, nowMs);
    if (next === undefined) return;
    this.#book.begin(next.id, clock.wallMs());
    const underWay: UnderWay = { request: next.request, meter: new JobMeter(), ending: undefined };
    this.#underWay.set(next.id, underWay);
    void this.#do(next.id, next.request).finally(() => {
      // One that made way may be under way again.
      if (this.#underWay.get(next.id) === underWay) this.#underWay.delete(next.id);
      this.#step();
    });
    this.#stepIn(lane);
  }

  #makeWay(): void {
    for (const { id } of this.#book.runningIn("store")) {
      const underWay = this.#underWay.get(id);
      if (underWay === undefined || underWay.ending !== undefined) continue;
      underWay.ending = "makes way";
      this.#workerOf(underWay.request)
        .end(underWay.request)
        .catch(() => {});
    }
  }

  async #do(id: number, request: WorkRequest): Promise<void> {
    const { machine } = this.#parts;
    machine.log.info("a job is begun", { job: id, kind: request.kind });
    void this.#keep();
    try {
      const result = await this.#workerOf(request).work(request);
      this.#tell(id, request, result);
      this.#end(id, { kind: "done", result });
    } catch (error) {
      raiseOwnFault(error, machine.clock);
      // It goes on after the next start.
      if (this.#isStopped) return;
      const isCancelled = this.#underWay.get(id)?.ending === "cancelled";
      const outcome = outcomeOf(error);
      if (error instanceof CancelledError && !isCancelled) this.#book.putBack(id);
      // Whatever ended it just then, it is not to be tried again.
      else this.#end(id, isCancelled && outcome.kind === "later" ? { kind: "cancelled" } : outcome);
    }
    await this.#keep();
  }

  #tell(job: number, { kind: work }: WorkRequest, { isSound, figures }: WorkResult): void {
    const { log } = this.#parts.machine;
    if (isSound) log.info("a job is done", { job, kind: work, ...figures });
    else log.warn("a job is done, and has found what a person must see", { job, kind: work, ...figures });
  }

  #end(id: number, outcome: JobOutcome): void {
    const { clock, log } = this.#parts.machine;
    if (outcome.kind === "failed") log.error("a job has failed", { job: id, why: outcome.why });
    if (outcome.kind === "later") log.warn("a job is put off", { job: id, why: outcome.why });
    const request = this.#book.get(id)?.request;
    this.#book.end(id, outcome, clock.monotonicMs(), clock.wallMs());
    if (request === undefined || outcome.kind === "later") return;
    this.#workerOf(request).over(request, outcome.kind === "done");
  }

  /** The newest is last. */
  get all(): readonly Job[] {
    return this.#book.all;
  }

  /** One after the other; never rejects. */
  #keep(): Promise<void> {
    const { machine, path } = this.#parts;
    this.#writing = this.#writing.then(async () => {
      try {
        await publishDocument(machine.files, path, kind, this.#book.content);
      } catch (error) {
        raiseOwnFault(error, machine.clock);
        machine.log.warn("the jobs cannot be noted: after a restart they have to be asked for again", { error });
      }
    });
    return this.#writing;
  }
}

const nobody: JobWorker = {
  work: () => Promise.reject(new RefuseError("nothing can be restored here")),
  end: async () => {},
  news: () => undefined,
  over: () => {},
};

/** The process that keeps the store does one at a time. */
function storeWorker(store: JobRunnerParts["store"]): JobWorker {
  return {
    work: (request) => store.work(request),
    end: () => store.endWork(),
    news: () => store.workNews,
    over: () => {},
  };
}

function outcomeOf(error: unknown): JobOutcome {
  if (error instanceof CancelledError) return { kind: "cancelled" };
  const why = inWords(error);
  return error instanceof RetryError ? { kind: "later", why } : { kind: "failed", why };
}

/** What was to be done is a help: where it cannot be read it is done without. */
function contentOf({ machine, path }: JobRunnerParts): JobBookContent | undefined {
  try {
    return readDocument(machine.files, path, kind) as JobBookContent | undefined;
  } catch (error) {
    if (isOwnFault(error)) throw error;
    machine.log.warn("the jobs that there were cannot be read: what is wanted of them has to be asked for again", {
      error,
    });
    return undefined;
  }
}
