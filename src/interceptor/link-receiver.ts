/** What one attachment tells. It remembers that it was lost, for whoever was busy when that was told. */
import { RefuseError } from "#src/core/errors.ts";
import type { RedoRecord, VolumeReceiver } from "#src/wire/volume-link.ts";
import { toldByAppliance } from "./link-loss.ts";

export interface LinkCallbacks {
  readonly redo: (record: RedoRecord) => Promise<void>;
  readonly acknowledged: (ordinal: number) => void;
  readonly roomAgain: () => void;
  readonly remoteDurable: () => void;
  readonly lost: (error: Error) => void;
}

export class LinkReceiver implements VolumeReceiver {
  readonly #callbacks: LinkCallbacks;
  #loss: Error | undefined;
  #hasRedone = false;

  constructor(callbacks: LinkCallbacks) {
    this.#callbacks = callbacks;
  }

  get loss(): Error | undefined {
    return this.#loss;
  }

  redo(record: RedoRecord): Promise<void> {
    this.#hasRedone = true;
    return this.#callbacks.redo(record);
  }

  acknowledged(ordinal: number): void {
    this.#callbacks.acknowledged(ordinal);
  }

  roomAgain(): void {
    this.#callbacks.roomAgain();
  }

  remoteDurable(): void {
    this.#callbacks.remoteDurable();
  }

  /** A refusal is about the source, as a rule, and what comes after a redo may be. */
  notAttached(error: unknown): unknown {
    if (error instanceof Error && !this.#hasRedone && !(error instanceof RefuseError)) toldByAppliance(error);
    return error;
  }

  lost(error: Error): void {
    if (this.#loss !== undefined) return;
    this.#loss = error;
    toldByAppliance(error);
    this.#callbacks.lost(error);
  }
}
