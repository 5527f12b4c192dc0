/**
 * One connection as the interceptor sees it, from the appliance's proof on:
 *
 *     attaching (redo, batch by batch) ─▶ attached ─▶ closed
 *         └───────────────────────────────────▲
 */
import { RefuseError } from "#src/core/errors.ts";
import type { BatchPool } from "#src/records/batch-pool.ts";
import { type FrameType, frameType } from "./frame.ts";
import type { FrameChannel, FrameHandler } from "./frame-channel.ts";
import { RemoteVolumeLink } from "./remote-volume-link.ts";
import type { Attachment, VolumeReceiver } from "./volume-link.ts";
import {
  decodeFlushed,
  decodeProgress,
  decodeVolumeWelcome,
  type Flushed,
  type Progress,
  readVolumeBatch,
} from "./volume-messages.ts";

export interface VolumeConversationParts {
  readonly channel: FrameChannel;
  readonly pool: BatchPool;
  readonly receiver: VolumeReceiver;
  readonly attached: (attachment: Attachment, link: RemoteVolumeLink) => void;
  readonly failed: (error: Error) => void;
  readonly closed: () => void;
}

export class VolumeConversation implements FrameHandler {
  readonly #parts: VolumeConversationParts;
  #link: RemoteVolumeLink | undefined;
  #isRedoing = false;
  #isClosed = false;
  #progress: Progress | undefined;

  constructor(parts: VolumeConversationParts) {
    this.#parts = parts;
  }

  frame(type: FrameType, bytes: Buffer, start: number, end: number): void {
    if (this.#link === undefined) this.#attaching(bytes.subarray(start, end), type);
    else if (type === frameType.progress) this.#progress = decodeProgress(bytes, start, end);
    else if (type === frameType.flushed) this.#flushed(this.#link, decodeFlushed(bytes, start, end));
    else throw unexpected(type);
  }

  /** What was acknowledged before it is told before it. */
  #flushed(link: RemoteVolumeLink, flushed: Flushed): void {
    this.endOfRead();
    link.flushed(flushed);
  }

  #attaching(body: Buffer, type: FrameType): void {
    if (this.#isRedoing) throw new RefuseError("the appliance did not wait until its records were redone");
    if (type === frameType.redo) {
      this.#isRedoing = true;
      // The memory of what came in is used again at once, and redoing takes longer.
      void this.#redo(Buffer.from(body));
    } else if (type === frameType.welcome) {
      this.#attached(body);
    } else {
      throw unexpected(type);
    }
  }

  async #redo(batch: Buffer): Promise<void> {
    const { channel, receiver } = this.#parts;
    try {
      for (const record of readVolumeBatch(batch, 0, batch.length)) {
        if (this.#isClosed) return;
        await receiver.redo({ ...record, buffer: batch });
      }
      this.#isRedoing = false;
      channel.send(frameType.redone);
    } catch (error) {
      channel.close(error as Error);
    }
  }

  #attached(body: Buffer): void {
    const { channel, pool, receiver, attached } = this.#parts;
    const welcome = decodeVolumeWelcome(body);
    const link = new RemoteVolumeLink(channel, pool.share(), receiver, welcome.lastOrdinal);
    this.#link = link;
    void channel.over.then(() => link.over());
    attached({ link, ...welcome }, link);
  }

  /** Several reports of one read are one. */
  endOfRead(): void {
    const progress = this.#progress;
    this.#progress = undefined;
    if (progress !== undefined) this.#link?.progressed(progress);
  }

  drained(hasFreedBulk: boolean): void {
    this.#link?.drained(hasFreedBulk);
  }

  closed(error: Error): void {
    this.#isClosed = true;
    this.#parts.closed();
    if (this.#link === undefined) this.#parts.failed(error);
    else this.#link.lose(error);
  }
}

function unexpected(type: FrameType): Error {
  return new RefuseError(`the appliance sent a frame of type ${type} where it does not belong`);
}
