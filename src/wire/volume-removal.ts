/**
 * A connection on which an interceptor tells that a volume was removed, as both sides see it. It has no other use: the
 * appliance answers when that is durable, and the interceptor hangs up.
 */
import { ReconnectError, RefuseError } from "#src/core/errors.ts";
import { type FrameType, frameType } from "./frame.ts";
import type { FrameChannel, FrameHandler } from "./frame-channel.ts";
import { encodeJson } from "./json-fields.ts";
import type { ForgetsVolumes } from "./volume-link.ts";

/** The appliance's side. */
export class RemovalSession implements FrameHandler {
  readonly #channel: FrameChannel;

  constructor(channel: FrameChannel) {
    this.#channel = channel;
  }

  async forget(volumes: ForgetsVolumes, id: string): Promise<void> {
    try {
      await volumes.forgetVolume(id);
      this.#channel.send(frameType.welcome, encodeJson({}));
    } catch (error) {
      this.#channel.close(error as Error);
    }
  }

  frame(type: FrameType): void {
    throw new RefuseError(`a frame of type ${type} came where nothing is left to be said`);
  }

  endOfRead(): void {}

  drained(): void {}

  closed(): void {}
}

/** The interceptor's side. One of the two is called, once. */
export class RemovalConversation implements FrameHandler {
  readonly #channel: FrameChannel;
  readonly #done: () => void;
  readonly #failed: (error: Error) => void;

  constructor(channel: FrameChannel, done: () => void, failed: (error: Error) => void) {
    this.#channel = channel;
    this.#done = done;
    this.#failed = failed;
  }

  frame(type: FrameType): void {
    if (type !== frameType.welcome) {
      throw new RefuseError(`the appliance sent a frame of type ${type} where it does not belong`);
    }
    this.#done();
    this.#channel.part(new ReconnectError("the interceptor has said what it had to say"));
  }

  endOfRead(): void {}

  drained(): void {}

  closed(error: Error): void {
    this.#failed(error);
  }
}
