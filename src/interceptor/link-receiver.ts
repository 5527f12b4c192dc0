/** What one attachment tells. It remembers that it was lost, for whoever was busy when that was told. */
import type { RedoRecord, VolumeReceiver } from "#src/wire/volume-link.ts";

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

  constructor(callbacks: LinkCallbacks) {
    this.#callbacks = callbacks;
  }

  get loss(): Error | undefined {
    return this.#loss;
  }

  redo(record: RedoRecord): Promise<void> {
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

  lost(error: Error): void {
    if (this.#loss !== undefined) return;
    this.#loss = error;
    this.#callbacks.lost(error);
  }
}
