/** What a group knows of the remote appliance: how far that is, whether it is there, and why not. */
import type { Watermarks } from "#src/wire/group-link.ts";

/** Why there is no link of a group that has just begun. */
export const notConnectedYet = "not connected yet";

export class RemoteKnowledge {
  #marks: Watermarks = { received: 0, durable: 0, stored: 0 };
  #refusal: string | undefined;
  #why: string | undefined = notConnectedYet;

  get marks(): Watermarks {
    return this.#marks;
  }

  /** It is there, and does not want this group. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Why there is no link. */
  get why(): string | undefined {
    return this.#why;
  }

  /** What it says now counts, whatever it said before it was gone: it may have lost what it had only received. */
  welcomed({ received, durable, stored }: Watermarks): void {
    this.#refusal = undefined;
    this.#why = undefined;
    // No more than these: a welcome also tells of the remote's own epoch.
    this.#marks = { received, durable, stored };
  }

  said(marks: Watermarks): void {
    this.#marks = marks;
  }

  gone(why: string): void {
    this.#why = why;
  }

  refused(why: string): void {
    this.#refusal = why;
    this.#why = why;
  }
}
