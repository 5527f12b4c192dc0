/**
 * The restores of a remote appliance: each is held in the store, and carried out by a process of its own.
 *
 * Invariants: a point is held durably before its restore is noted as a job, and until the job is over; what a crash leaves, a
 * hold for nobody or notes of a job that is done, goes at the next start. What one that was cancelled or has failed has noted stays as
 * long as it was the last job that had the target: if the same is asked for again it goes on from there. So do the notes of a copy of
 * a view that is done, until the view goes: whoever needs that copy has it looked at again.
 */
import { join } from "node:path";
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { restoreIdBytes, restoreMarkMs, restoreNewsMs } from "#src/core/restore-limits.ts";
import type { Machine } from "#src/host/machine.ts";
import { raiseOwnFault } from "#src/host/own-fault.ts";
import type { Thread } from "#src/host/thread.ts";
import { CancelledError } from "#src/store/work-control.ts";
import { isOpenJob, type Job, lastOfTargets } from "./job.ts";
import type { JobWorker } from "./job-runner.ts";
import type { PinKeeper } from "./pin-keeper.ts";
import { type RestoreRequest, type RestoreWish, restoreOfPin, restorePin } from "./restore.ts";
import type { RestoreNews, RestoreOrderWord, RestoreSettings } from "./restore-words.ts";
import type { AskStanding, Standing } from "./side-caller.ts";
import { receivedError } from "./store-errors.ts";
import type { WorkNews, WorkRequest, WorkResult } from "./store-work.ts";
import type { ResolvedPoint } from "./view-points.ts";
import { ViewRetry } from "./view-retry.ts";
import type { VolumesOfGroup } from "./volume-of-group.ts";

type FixedSettings = Omit<RestoreSettings, "request" | "groupName" | "durableSeq" | "sumsPath">;

export interface RestoresParts {
  readonly machine: Pick<Machine, "clock" | "files" | "log" | "randomness">;
  /** Of what is noted of restores. */
  readonly folder: string;
  readonly settings: FixedSettings;
  readonly start: (settings: RestoreSettings) => Thread;
  readonly pins: PinKeeper;
  readonly groups: () => readonly VolumesOfGroup[];
  /** Throws a `RefuseError` where it is none. */
  readonly resolve: (volume: string, point: string) => Promise<ResolvedPoint>;
  /** Throws a `RefuseError` where nothing may be restored to this target. */
  readonly checkTarget: (target: string) => void;
  /** Of a volume that is restored onto itself. */
  readonly standing: AskStanding;
}

interface Running {
  /** Undefined: it waits for what the remote appliance has not got yet. */
  worker: Thread | undefined;
  news: WorkNews | undefined;
  isEnding: boolean;
}

export class Restores implements JobWorker {
  readonly #parts: RestoresParts;
  readonly #running = new Map<string, Running>();
  /** Those that were asked for since the start, from before their points are held: they are nothing that a crash has left. */
  readonly #asked = new Set<string>();

  /** Those that are over, and whose points could not be let go of. */
  readonly #held = new Set<RestoreRequest>();
  readonly #again: ViewRetry;

  constructor(parts: RestoresParts) {
    this.#parts = parts;
    this.#again = new ViewRetry(parts.machine.clock, () => {
      for (const restore of this.#held) void this.#letGo(restore);
    });
    parts.machine.files.makeFolder(parts.folder);
  }

  /** Of what is asked for: it holds the point, durably, until the job is over. `jobs`: all that are known, the newest last. */
  async hold({ point: words, ...wish }: RestoreWish, jobs: readonly Job[]): Promise<WorkRequest> {
    const { machine, pins, resolve, checkTarget } = this.#parts;
    if (wish.fromSeq === undefined) checkTarget(wish.target);
    const { place, point, note } = await resolve(wish.volume, words);
    const { seq, timeMicros } = point;
    const id = machine.randomness.bytes(restoreIdBytes).toString("hex");
    const named = { group: place.group, number: place.volume, seq, timeMicros };
    const restore: RestoreRequest = { ...wish, ...named, id, ...(note === undefined ? {} : { note }) };
    const heldSeq = Math.min(seq, wish.fromSeq ?? seq);
    const reason = `restore of ${wish.volume} to ${wish.target}`;
    this.#asked.add(id);
    try {
      await pins.pin(place.group, { id: restorePin(restore), seq: heldSeq, keeps: "history", reason });
    } catch (error) {
      this.#asked.delete(id);
      throw error;
    }
    const earlier = this.#begunBefore(restore, jobs);
    if (earlier === undefined) return { kind: "restore", isDry: false, restore };
    machine.files.rename(earlier, this.#sumsPath(id));
    return { kind: "restore", isDry: false, restore: { ...restore, goesOn: true } };
  }

  async work(request: WorkRequest): Promise<WorkResult> {
    const restore = restoreOf(request);
    const running: Running = { worker: undefined, news: undefined, isEnding: false };
    this.#running.set(restore.id, running);
    try {
      const { settings, start } = this.#parts;
      const { durableSeq, target } = await this.#ready(restore, running, true);
      running.worker = start({
        ...settings,
        request: { ...restore, target },
        groupName: this.#parts.groups().find(({ id }) => id === restore.group)?.name ?? "",
        durableSeq,
        sumsPath: this.#sumsPath(restore.id),
      });
      const tell = async (): Promise<RestoreOrderWord> => {
        return { durableSeq: (await this.#ready(restore, running, false)).durableSeq };
      };
      return await lastWordOf(running, running.worker, tell);
    } finally {
      this.#running.delete(restore.id);
      running.worker?.end();
      await running.worker?.ended;
    }
  }

  /** Of a restore onto its volume: where that is now, and the remote appliance has all that was written to it so far. */
  async #ready(restore: RestoreRequest, running: Running, isBegin: boolean) {
    const { fromSeq, target } = restore;
    if (fromSeq === undefined) return { durableSeq: await this.#durableSeq(restore, 0, running), target };
    const { seq, uri } = await this.#standing(restore, running, isBegin);
    const durableSeq = await this.#durableSeq(restore, Math.max(fromSeq, seq), running);
    // Not before: who has added it is told of by what was written until now.
    this.#refuseOther(restore);
    return { durableSeq, target: uri };
  }

  /** The volume may have been removed since it was asked for, and another one have its name and its export. */
  #refuseOther({ group: id, number, volume }: RestoreRequest): void {
    const { volumes = [] } = this.#parts.groups().find((group) => group.id === id) ?? {};
    const own = volumes.find((one) => one.number === number);
    if (!volumes.some((one) => one.name === own?.name && one.number > number)) return;
    throw new RefuseError(
      `volume '${volume}' was removed and added again, and what has its name now is not restored to points of before: ` +
        "restore them to another target",
    );
  }

  /** After a start volumes are opened one by one. */
  async #standing({ group, volume }: RestoreRequest, running: Running, isBegin: boolean): Promise<Standing> {
    for (let waitedMs = 0; ; waitedMs += restoreNewsMs) {
      try {
        return await this.#parts.standing({ group, volume, isBegin });
      } catch (error) {
        if (!(error instanceof RetryError) || waitedMs >= restoreMarkMs) throw error;
      }
      if (running.isEnding) throw new CancelledError();
      await this.#pause();
    }
  }

  /** What was written may still be on its way. */
  async #durableSeq({ group }: RestoreRequest, wantedSeq: number, running: Running): Promise<number> {
    const { groups } = this.#parts;
    let lastSeq = 0;
    for (let waitedMs = 0; ; waitedMs += restoreNewsMs) {
      const durableSeq = groups().find(({ id }) => id === group)?.durable ?? 0;
      if (durableSeq >= wantedSeq) return durableSeq;
      if (running.isEnding) throw new CancelledError();
      if (durableSeq > lastSeq) waitedMs = 0;
      lastSeq = durableSeq;
      if (waitedMs >= restoreMarkMs) {
        throw new RetryError(
          `the remote appliance has not got what was written to the volume, record ${wantedSeq}, yet`,
        );
      }
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.machine.clock.timer(restoreNewsMs, resolve);
    });
  }

  async end(request: WorkRequest): Promise<void> {
    const running = this.#running.get(restoreOf(request).id);
    if (running === undefined) return;
    running.isEnding = true;
    running.worker?.send("end");
  }

  news(request: WorkRequest): WorkNews | undefined {
    return this.#running.get(restoreOf(request).id)?.news;
  }

  /** Where it is not done its notes stay, for whoever asks for the same again. */
  over(request: WorkRequest, isDone: boolean): void {
    const restore = restoreOf(request);
    this.#asked.delete(restore.id);
    if (isDone && restore.view === undefined) this.forget(request);
    void this.#letGo(restore);
  }

  /** What was noted of one that is over: if the same is asked for again it begins anew. */
  forget(request: WorkRequest): void {
    this.#forget(restoreOf(request).id);
  }

  /** Where the store does not answer it is tried again until it does: what is held for nobody keeps all history behind it. */
  async #letGo(restore: RestoreRequest): Promise<void> {
    const { machine, pins } = this.#parts;
    try {
      await pins.unpin(restore.group, restorePin(restore));
      this.#held.delete(restore);
      if (this.#held.size === 0) this.#again.done();
    } catch (error) {
      raiseOwnFault(error, machine.clock);
      machine.log.warn("a point whose restore is over cannot be let go of just now: it is tried again", { error });
      this.#held.add(restore);
      this.#again.later();
    }
  }

  /** What the last job noted that had the target, if that was the same restore, and its notes still count. */
  #begunBefore(wanted: RestoreRequest, jobs: readonly Job[]): string | undefined {
    const last = lastOfTargets(jobs).get(wanted.target);
    const restore = last?.request.restore;
    if (last === undefined || restore === undefined || !keepsNotes(last) || wanted.fromSeq !== undefined)
      return undefined;
    const { group, number, seq, id, view } = restore;
    const isSameView =
      view?.id === wanted.view?.id &&
      view?.incarnation === wanted.view?.incarnation &&
      view?.reopenCount === wanted.view?.reopenCount;
    const isSame = isSameView && group === wanted.group && number === wanted.number && seq === wanted.seq;
    const path = this.#sumsPath(id);
    return isSame && this.#parts.machine.files.exists(path) ? path : undefined;
  }

  /**
   * What is left of restores that were over before the start. `jobs`: all that are known, the newest last. Others may be asked for
   * while it goes on. Never rejects.
   */
  async sweep(jobs: readonly Job[]): Promise<void> {
    const { machine, folder, pins, groups } = this.#parts;
    const idsOf = (some: readonly Job[]) => new Set(some.flatMap(({ request }) => request.restore?.id ?? []));
    const open = idsOf(jobs.filter(isOpenJob));
    const noted = idsOf([...lastOfTargets(jobs).values()].filter(keepsNotes));
    const isOpen = (id: string) => open.has(id) || this.#asked.has(id);
    try {
      for (const name of machine.files.list(folder)) {
        const id = name.replace(/\.sums$/, "");
        if (!isOpen(id) && !noted.has(id)) this.#forget(id);
      }
      for (const { id: group } of groups()) {
        for (const { id } of await pins.pins(group)) {
          const restore = restoreOfPin(id);
          if (restore !== undefined && !isOpen(restore)) await pins.unpin(group, id);
        }
      }
    } catch (error) {
      if (isOwnFault(error)) throw error;
      machine.log.warn("what is left of restores that are over could not be looked for", { error });
    }
  }

  /** Those under way end where they are, and go on after the next start. */
  async stop(): Promise<void> {
    this.#again.stop();
    const ended = [...this.#running.values()].map((running) => {
      running.isEnding = true;
      running.worker?.end();
      return running.worker?.ended;
    });
    await Promise.all(ended);
  }

  #forget(id: string): void {
    const path = this.#sumsPath(id);
    if (this.#parts.machine.files.exists(path)) this.#parts.machine.files.remove(path);
  }

  #sumsPath(id: string): string {
    return join(this.#parts.folder, `${id}.sums`);
  }
}

/** Of one that is over. */
function keepsNotes({ state, request }: Job): boolean {
  return state === "cancelled" || state === "failed" || (state === "done" && request.restore?.view !== undefined);
}

function restoreOf({ restore }: WorkRequest): RestoreRequest {
  if (restore === undefined) throw new RefuseError("a restore says what it restores");
  return restore;
}

function lastWordOf(running: Running, worker: Thread, tell: () => Promise<RestoreOrderWord>): Promise<WorkResult> {
  return new Promise((resolve, reject) => {
    worker.receive((message) => {
      const word = message as RestoreNews;
      if ("news" in word) running.news = word.news;
      else if ("asks" in word) tell().then((told) => worker.send(told), reject);
      else if ("result" in word) resolve(word.result);
      else reject(receivedError(word.error));
    });
    void worker.ended.then((error) => {
      reject(new RetryError(`the process of the restore has ended: ${error?.message ?? "it was told to"}`));
    });
  });
}
