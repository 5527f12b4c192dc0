/** What operators may ask and order of the store, where there is one. */
import { RefuseError } from "#src/core/errors.ts";
import type { JobReport } from "./job.ts";
import type { SideClient } from "./side-client.ts";
import type { KeyFacts } from "./store-key-orders.ts";
import type { WorkRequest } from "./store-work.ts";
import { UnknownNameError } from "./unknown-name.ts";

export class StoreControl {
  readonly #side: SideClient | undefined;

  /** Undefined: there is no remote appliance here. */
  constructor(side: SideClient | undefined) {
    this.#side = side;
  }

  /** The newest is last. */
  async jobs(): Promise<readonly JobReport[]> {
    return this.#remote.ask("jobs", null);
  }

  async job(id: string): Promise<JobReport> {
    const job = (await this.jobs()).find((one) => String(one.id) === id);
    if (job === undefined) throw new UnknownNameError(`there is no job '${id.slice(0, 64)}'`);
    return job;
  }

  /** What is asked for already is not asked for twice. */
  async addJob(request: WorkRequest): Promise<JobReport> {
    return this.#remote.ask("addJob", request);
  }

  async cancelJob(id: string): Promise<JobReport> {
    return this.#remote.ask("cancelJob", { id: (await this.job(id)).id });
  }

  /** What could not be sealed is tried again at once. */
  async retry(isRemounted: boolean): Promise<void> {
    await this.#remote.ask("retryStore", { isRemounted });
  }

  async keys(): Promise<readonly KeyFacts[]> {
    return this.#remote.ask("storeKeys", null);
  }

  /** Answers all, and the id of the copy that this key opens. `keyFile`: on the machine of the remote appliance. */
  async addKey(keyFile: string): Promise<{ readonly id: string; readonly keys: readonly KeyFacts[] }> {
    const id = await this.#remote.ask("addStoreKey", { keyFile });
    return { id, keys: await this.keys() };
  }

  async removeKey(copyId: string): Promise<void> {
    const keys = await this.keys();
    if (!keys.some(({ id }) => id === copyId)) {
      throw new UnknownNameError(`the store's keys have no copy '${copyId.slice(0, 64)}'`);
    }
    await this.#remote.ask("removeStoreKey", { copyId });
  }

  get #remote(): SideClient {
    if (this.#side !== undefined) return this.#side;
    throw new RefuseError("the store is the remote appliance's, which does not run here: name its API, with --api URL");
  }
}
