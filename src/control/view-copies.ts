/**
 * Views that become disks of their own: one is put away, so that it stands still, and copied with what was written to it, by a job as
 * restores are. While that goes on it is neither opened nor thrown away, and who asks for the same copy again gets the same job. When
 * that is done, and the view was not opened since, another one looks whether the copy is there still, and mends what is not.
 */
import { isOwnFault } from "#src/core/assert.ts";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { isOpenJob, type Job, type JobReport, lastOfTargets } from "./job.ts";
import type { JobRunner } from "./job-runner.ts";
import type { RestoreWish } from "./restore.ts";
import type { WorkRequest } from "./store-work.ts";
import type { ViewDefinition, ViewFacts } from "./view.ts";
import { refusalOfChanged, type ViewClosing } from "./view-closing.ts";
import type { Views } from "./views.ts";
import { nameNow, type VolumesOfGroup } from "./volume-of-group.ts";

export interface ViewCopyWish extends Pick<RestoreWish, "target" | "mayOverwrite" | "isVerified"> {
  /** Of the view. */
  readonly name: string;
  /** The volume that the target is by now: only what was copied there before is told. */
  readonly takenBy?: string;
}

export interface ViewCopiesParts {
  readonly views: Pick<Views, "putAwayFor" | "copiedTo" | "reopen" | "close">;
  readonly jobs: Pick<JobRunner, "all" | "report">;
  readonly restore: (wish: RestoreWish) => Promise<JobReport>;
  /** What was noted of a copy that is over. */
  readonly forget: (copy: WorkRequest) => void;
  readonly groups: () => readonly VolumesOfGroup[];
}

export class ViewCopies {
  readonly #parts: ViewCopiesParts;
  /** By the names of views: until there is a job that says so, it is known here that they have to stand still. */
  readonly #beginning = new Map<string, { readonly target: string; readonly report: Promise<JobReport> }>();

  constructor(parts: ViewCopiesParts) {
    this.#parts = parts;
  }

  copy(wish: ViewCopyWish): Promise<JobReport> {
    const { name, target } = wish;
    if (wish.takenBy !== undefined) return this.#copiedBefore(name, target, wish.takenBy);
    const known = this.#beginning.get(name);
    if (known?.target === target) return known.report;
    if (known !== undefined) return Promise.reject(isBegun(name));
    const report = this.#copy(wish).finally(() => this.#beginning.delete(name));
    this.#beginning.set(name, { target, report });
    return report;
  }

  async #copy({ name, target, mayOverwrite, isVerified }: ViewCopyWish): Promise<JobReport> {
    const { views, restore, groups } = this.#parts;
    const busy = this.#busy(name);
    if (busy !== undefined && busy.request.restore?.target !== target) throw refusal(name, busy);
    const { view, wasOpen } = await views.putAwayFor(name, target);
    const { id, incarnation, isWritable, reopenCount } = view;
    const content = { id, name, incarnation, isWritable, ...(reopenCount === undefined ? {} : { reopenCount }) };
    // Another volume may have its name by now.
    const point = { volume: nameNow(groups(), view), point: `seq:${view.seq}` };
    try {
      return await restore({ ...point, target, mayOverwrite, isVerified, view: content });
    } catch (error) {
      if (wasOpen) await this.#openAgain(name);
      throw error;
    }
  }

  /** Where nothing is copied. If it does not open now, that is tried again by itself. */
  async #openAgain(name: string): Promise<void> {
    await this.#parts.views.reopen(name).catch((error: unknown) => {
      if (isOwnFault(error)) throw error;
    });
  }

  /** Whoever made a volume of it, and could not close it, finds that all of it is there. */
  async #copiedBefore(name: string, target: string, volume: string): Promise<JobReport> {
    const { views, jobs } = this.#parts;
    const view = views.copiedTo(name, target);
    const done = view && this.#doneCopy(view, target);
    if (done !== undefined) return jobs.report(done.id);
    throw new RefuseError(`${target} is volume '${volume}': name another target`);
  }

  #refuseUncopied(name: string, target: string): void {
    const view = this.#parts.views.copiedTo(name, target);
    if (view === undefined || this.#doneCopy(view, target) === undefined) throw refusalOfChanged(name);
  }

  /** The last job that wrote there was one that copied all of the view. */
  #doneCopy(view: ViewDefinition, target: string): Job | undefined {
    const last = lastOfTargets(this.#parts.jobs.all).get(target);
    return last !== undefined && isOf(last, view) && last.result?.isSound === true ? last : undefined;
  }

  async reopen(name: string): Promise<ViewFacts> {
    this.#refuseBusy(name);
    return this.#parts.views.reopen(name);
  }

  async close(name: string, how: ViewClosing): Promise<void> {
    this.#refuseBusy(name);
    const { views, jobs, forget } = this.#parts;
    if (typeof how === "object" && "copiedTo" in how) this.#refuseUncopied(name, how.copiedTo);
    await views.close(name, how);
    // Put away it may be copied again.
    if (how === "kept" || how === "tried") return;
    for (const { request } of jobs.all) if (request.restore?.view?.name === name) forget(request);
  }

  #refuseBusy(name: string): void {
    if (this.#beginning.has(name)) throw isBegun(name);
    const busy = this.#busy(name);
    if (busy !== undefined) throw refusal(name, busy);
  }

  #busy(name: string): Job | undefined {
    return this.#parts.jobs.all.find((job) => isOpenJob(job) && job.request.restore?.view?.name === name);
  }
}

function isOf({ request }: Job, { id, incarnation }: ViewDefinition): boolean {
  const copied = request.restore?.view;
  return copied?.id === id && copied.incarnation === incarnation;
}

function isBegun(name: string): RetryError {
  return new RetryError(`a copy of view '${name}' is just being begun`);
}

function refusal(name: string, { id }: Job): RefuseError {
  return new RefuseError(`job ${id} copies view '${name}': 'tidemark job cancel ${id}' ends it`);
}
