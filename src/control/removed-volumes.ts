/**
 * Tells the local appliance of volumes that were removed, so that it waits for them no more: again and again until it has
 * taken note, over restarts too. It may be away, or may not have noticed yet that the interceptor has let go of the volume.
 */
import type { Clock } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import type { Catalogue } from "./catalogue.ts";
import type { SideClient } from "./side-client.ts";

export interface RemovedVolumesParts {
  readonly catalogue: Catalogue;
  readonly side: Pick<SideClient, "ask" | "ended">;
  readonly clock: Clock;
  readonly log: Log;
}

const againMsMin = 100;
const againMsMax = 15_000;
/** So long whoever removes a volume waits for it. */
const patienceMs = 1_000;

export class RemovedVolumes {
  readonly #parts: RemovedVolumesParts;
  readonly #telling = new Set<string>();
  /** End waits. */
  readonly #wakes = new Set<() => void>();
  #isOver = false;

  constructor(parts: RemovedVolumesParts) {
    this.#parts = parts;
    void parts.side.ended.then(() => {
      this.#isOver = true;
      for (const wake of this.#wakes) wake();
    });
  }

  /** Of all that it may not know yet. */
  begin(): void {
    for (const id of this.#parts.catalogue.removed) void this.tell(id);
  }

  /** Resolves when the appliance knows it, or has had some time for it. What takes longer goes on. */
  async told(id: string): Promise<void> {
    await Promise.race([this.tell(id), this.#wait(patienceMs)]);
  }

  /** Resolves when the appliance knows it, or the program ends. */
  async tell(id: string): Promise<void> {
    const { catalogue, log } = this.#parts;
    if (this.#telling.has(id)) return;
    this.#telling.add(id);
    for (let delayMs = againMsMin; !(await this.#try(id)); delayMs = Math.min(2 * delayMs, againMsMax)) {
      await this.#wait(delayMs);
      if (this.#isOver) return;
    }
    this.#telling.delete(id);
    // Where this fails it is told once more at the next start, which changes nothing.
    await catalogue.forgotten(id).catch((error: Error) => {
      log.warn("it could not be noted that the local appliance knows of a volume's removal", { id, error });
    });
  }

  async #try(id: string): Promise<boolean> {
    const { side, log } = this.#parts;
    try {
      await side.ask("forgetVolume", { id });
      return true;
    } catch (error) {
      log.debug("the local appliance has not taken note yet that a volume was removed", { id, error });
      return false;
    }
  }

  async #wait(delayMs: number): Promise<void> {
    if (this.#isOver) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#parts.clock.timer(delayMs, resolve);
    this.#wakes.add(resolve);
    await promise;
    this.#wakes.delete(resolve);
    timer.cancel();
  }
}
