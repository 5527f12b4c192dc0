/**
 * One connection as the local appliance sees it, from the interceptor's proof on:
 *
 *     attaching (redo) ─▶ attached ─▶ closed
 *         └───────────────────▲
 */
import { ReconnectError, RefuseError } from "#src/core/errors.ts";
import { volumeFlushCountMax, volumeWindowBytes } from "#src/core/limits.ts";
import { type FrameType, frameType } from "./frame.ts";
import type { FrameChannel, FrameHandler } from "./frame-channel.ts";
import { decodeNumber } from "./numbers.ts";
import { VolumeIntake } from "./volume-intake.ts";
import type { Attachment, RedoRecord, VolumeLink, VolumeLinks, VolumeReceiver } from "./volume-link.ts";
import {
  encodeFlushed,
  encodeProgress,
  encodeVolumeWelcome,
  type Flushed,
  type VolumeHello,
} from "./volume-messages.ts";
import { VolumeRedo } from "./volume-redo.ts";

/** Credit is told in such steps, when nothing else is to be said. */
const creditStepBytes = volumeWindowBytes / 4;

export class VolumeSession implements FrameHandler, VolumeReceiver {
  readonly hello: VolumeHello;
  readonly #channel: FrameChannel;
  readonly #ended: (error: Error) => void;
  readonly #redo: VolumeRedo;
  #link: VolumeLink | undefined;
  #intake: VolumeIntake | undefined;
  #isClosed = false;
  readonly #gone = Promise.withResolvers<void>();
  /** What is said at the end of a read anyway need not be said before. */
  #isReading = false;
  #takenBytes = 0;
  #flushCount = 0;
  #acknowledged = 0;
  #toldGrantedBytes = 0;
  #hasNews = false;

  constructor(channel: FrameChannel, hello: VolumeHello, ended: (error: Error) => void) {
    this.hello = hello;
    this.#channel = channel;
    this.#ended = ended;
    this.#redo = new VolumeRedo(channel);
  }

  /** Resolves when the appliance has no link of this session any more. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  get isAttached(): boolean {
    return this.#intake !== undefined;
  }

  /** `others`: sessions that have to let go of the volume first. */
  async attach(volumes: VolumeLinks, others: readonly Promise<void>[]): Promise<void> {
    const { durableOrdinal, attacher, sourceAge, ...rest } = this.hello;
    const { isCopyDue, copyEndOrdinal, unprotectedMicros, needsRedo, ...identity } = rest;
    const said = { sourceAge, isCopyDue, copyEndOrdinal, unprotectedMicros, needsRedo };
    try {
      await Promise.all(others);
      const attachment = await volumes.attach(identity, durableOrdinal, this, said);
      this.#link = attachment.link;
      await this.#redo.send();
      if (!this.#isClosed) this.#attached(attachment);
    } catch (error) {
      this.#channel.close(error as Error);
    }
    if (this.#intake !== undefined) return;
    this.#link?.detach();
    this.#gone.resolve();
  }

  #attached({ link, ...welcome }: Attachment): void {
    this.#intake = new VolumeIntake(link, this.hello.sizeBytes, (flushed) => this.#flushed(flushed));
    this.#channel.send(frameType.welcome, encodeVolumeWelcome(welcome));
    this.#hasNews = true;
    this.#sayNews();
  }

  #flushed(flushed: Flushed): void {
    this.#flushCount--;
    if (this.#isClosed) return;
    // First what was acknowledged: a flush tells the same of it, and more.
    this.#sayNews();
    this.#channel.send(frameType.flushed, encodeFlushed(flushed));
  }

  get #grantedBytes(): number {
    return volumeWindowBytes + (this.#intake?.takenBytes ?? 0);
  }

  #sayNews(): void {
    if (this.#intake === undefined || this.#isReading || this.#isClosed || this.#channel.isBlocked) return;
    const grantedBytes = this.#grantedBytes;
    if (!this.#hasNews && grantedBytes - this.#toldGrantedBytes < creditStepBytes) return;
    this.#hasNews = false;
    this.#toldGrantedBytes = grantedBytes;
    const { pressure = 0, remoteOrdinal = 0 } = this.#link ?? {};
    const progress = { acknowledged: this.#acknowledged, pressure, grantedBytes, remoteOrdinal };
    this.#channel.send(frameType.progress, encodeProgress(progress));
  }

  // VolumeReceiver: what the appliance says

  redo(record: RedoRecord): Promise<void> {
    return this.#redo.add(record);
  }

  acknowledged(ordinal: number): void {
    this.#acknowledged = ordinal;
    this.#hasNews = true;
    this.#sayNews();
  }

  roomAgain(): void {
    if (this.#isClosed) return;
    this.#intake?.goOn();
    this.#hasNews = true;
    this.#sayNews();
  }

  remoteDurable(): void {
    this.#hasNews = true;
    this.#sayNews();
  }

  lost(error: Error): void {
    this.#intake?.end();
    this.#channel.close(error);
  }

  /** The same interceptor has come anew. */
  replace(): void {
    this.#detach();
    this.#channel.close(new ReconnectError("the interceptor has connected anew"));
  }

  // FrameHandler

  frame(type: FrameType, bytes: Buffer, start: number, end: number): void {
    const intake = this.#intake;
    if (type === frameType.redone && this.#redo.isWaiting) {
      this.#redo.redone();
      return;
    }
    if (intake === undefined) throw new RefuseError("the interceptor did not wait for its welcome");
    this.#isReading = true;
    switch (type) {
      case frameType.records:
        this.#takenBytes += end - start;
        if (this.#takenBytes > this.#grantedBytes) throw new RefuseError("more was sent than there was credit for");
        intake.batch(bytes, start, end);
        break;
      case frameType.flush:
        if (this.#flushCount >= volumeFlushCountMax) throw new RefuseError("too many flushes are under way");
        this.#flushCount++;
        intake.flush(decodeNumber(bytes, start, end));
        break;
      case frameType.sourceDurable:
        this.#link?.reportDurable(decodeNumber(bytes, start, end));
        break;
      default:
        throw new RefuseError(`a frame of type ${type} came where it does not belong`);
    }
  }

  endOfRead(): void {
    this.#intake?.commit();
    this.#isReading = false;
    this.#sayNews();
  }

  drained(): void {
    this.#redo.goOn();
    this.#sayNews();
  }

  closed(error: Error): void {
    this.#redo.fail(error);
    this.#detach();
    this.#ended(error);
  }

  #detach(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // While attaching, it is `attach` that lets go of the link.
    if (this.#intake === undefined) return;
    this.#intake.end();
    this.#link?.detach();
    this.#gone.resolve();
  }
}
