/** How fast a long work goes on, and how long it will take, by what it tells of itself now and then. Pure. */
import type { JobProgress } from "./job.ts";
import type { WorkNews } from "./store-work.ts";

interface Phase {
  readonly what: string;
  readonly sinceMs: number;
  readonly doneBefore: number;
  readonly bytesBefore: number;
}

export class JobMeter {
  #phase: Phase | undefined;
  #latest: { readonly news: WorkNews; readonly atMs: number } | undefined;

  told(news: WorkNews, nowMs: number): void {
    const { progress, pacedBytes } = news;
    if (progress === undefined) return;
    const { what, done } = progress;
    // Each thing that it does has a speed of its own.
    if (this.#phase?.what !== what) this.#phase = { what, sinceMs: nowMs, doneBefore: done, bytesBefore: pacedBytes };
    this.#latest = { news, atMs: nowMs };
  }

  /** Undefined: it has not told anything yet. */
  get progress(): JobProgress | undefined {
    const [phase, latest] = [this.#phase, this.#latest];
    if (phase === undefined || latest?.news.progress === undefined) return undefined;
    const { news, atMs } = latest;
    const { what, done, total, unit } = latest.news.progress;
    const seconds = (atMs - phase.sinceMs) / 1000;
    const doneSince = done - phase.doneBefore;
    const isForeseen = total > 0 && doneSince > 0 && seconds > 0;
    return {
      what,
      done,
      unit,
      bytes: news.pacedBytes,
      bytesPerSecond: seconds > 0 ? Math.round((news.pacedBytes - phase.bytesBefore) / seconds) : 0,
      ...(total > 0 ? { total } : {}),
      ...(isForeseen ? { secondsLeft: Math.ceil(((total - done) * seconds) / doneSince) } : {}),
    };
  }
}
