/** Says again and again of a leased view that somebody holds it, so that it goes only when nobody does any more. */
import { viewLeaseMs, viewRenewMs } from "#src/core/view-limits.ts";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { ApiClient } from "./api-client.ts";

export class ViewHold {
  readonly #api: Pick<ApiClient, "ask">;
  readonly #view: string;
  readonly #clock: Clock;
  readonly #lost: (error: Error) => void;
  #heardMs: number;
  #timer: Timer | undefined;
  #isOver = false;

  /** `lost`: it could not be said for so long that the view is gone. */
  constructor(api: Pick<ApiClient, "ask">, view: string, clock: Clock, lost: (error: Error) => void) {
    this.#api = api;
    this.#view = view;
    this.#clock = clock;
    this.#lost = lost;
    this.#heardMs = clock.monotonicMs();
    this.#later();
  }

  end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  #later(): void {
    if (!this.#isOver) this.#timer = this.#clock.timer(viewRenewMs, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const askedMs = this.#clock.monotonicMs();
    try {
      await this.#api.ask("POST", ["views", this.#view, "renew"], { body: {} });
      this.#heardMs = askedMs;
    } catch (error) {
      // A program that is just started anew gives all views the whole time again.
      if (this.#clock.monotonicMs() - this.#heardMs < viewLeaseMs) return this.#later();
      if (!this.#isOver) this.#lost(new Error(`view '${this.#view}' is held no longer: ${(error as Error).message}`));
      return;
    }
    this.#later();
  }
}
