/**
 * What a side asks of the control plane, which knows of the other side too: how a volume stands that is restored onto itself.
 * The control plane answers each time; while the program starts, when it can.
 */
import type { MessageLine } from "#src/host/thread.ts";
import type { RestoreRequest } from "./restore.ts";
import { errorOf, type SideError } from "./side-error.ts";

export interface StandingAsk extends Pick<RestoreRequest, "group" | "volume"> {
  /** Hosts must not be attached; else the restore itself is, and may be. */
  readonly isBegin: boolean;
}

export interface Standing {
  /** The last that the group has given. */
  readonly seq: number;
  /** Where the volume is written to. It may be another one after each start. */
  readonly uri: string;
}

/** Rejects with a `RefuseError` or a `RetryError` where it may not begin, or not yet. */
export type AskStanding = (ask: StandingAsk) => Promise<Standing>;

export interface SideCall {
  readonly call: number;
  readonly ask: StandingAsk;
}

export type CallAnswer =
  | { readonly call: number; readonly answer: Standing }
  | { readonly call: number; readonly error: SideError };

export class SideCaller {
  readonly #line: Pick<MessageLine, "send">;
  readonly #pending = new Map<number, PromiseWithResolvers<Standing>>();
  #lastCall = 0;

  constructor(line: Pick<MessageLine, "send">) {
    this.#line = line;
  }

  ask(ask: StandingAsk): Promise<Standing> {
    const call = ++this.#lastCall;
    const pending = Promise.withResolvers<Standing>();
    this.#pending.set(call, pending);
    this.#line.send({ call, ask } satisfies SideCall);
    return pending.promise;
  }

  answered(message: CallAnswer): void {
    const pending = this.#pending.get(message.call);
    this.#pending.delete(message.call);
    if ("error" in message) pending?.reject(errorOf(message.error));
    else pending?.resolve(message.answer);
  }
}
