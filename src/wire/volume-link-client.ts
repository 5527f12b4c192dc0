/** The local appliance as interceptors in another process see it. */
import { batchSlabBytes, batchSlabCountMax, wireNonceBytes } from "#src/core/limits.ts";
import { BatchPool } from "#src/records/batch-pool.ts";
import { Dial, type DialOptions } from "./dial.ts";
import { checkToken } from "./link-options.ts";
import type { RemoteVolumeLink } from "./remote-volume-link.ts";
import { VolumeConversation } from "./volume-conversation.ts";
import type {
  AttachedSource,
  Attachment,
  ForgetsVolumes,
  VolumeIdentity,
  VolumeLinks,
  VolumeReceiver,
} from "./volume-link.ts";
import { encodeVolumeHello, encodeVolumeRemoval } from "./volume-messages.ts";
import { RemovalConversation } from "./volume-removal.ts";

export class VolumeLinkClient implements VolumeLinks, ForgetsVolumes {
  readonly #options: DialOptions;
  /** What all volumes of this process make their batches in. */
  readonly #pool: BatchPool;
  readonly #attacher: string;
  readonly #links = new Set<RemoteVolumeLink>();

  constructor(options: DialOptions) {
    checkToken(options.token);
    this.#options = options;
    this.#attacher = options.randomness.bytes(wireNonceBytes).toString("hex");
    this.#pool = new BatchPool({
      slabBytes: batchSlabBytes,
      slabCountMax: batchSlabCountMax,
      freed: () => options.clock.soon(() => this.#roomAgain()),
    });
  }

  /** Slabs of memory for batches that there are. */
  get slabCount(): number {
    return this.#pool.slabCount;
  }

  attach(
    identity: VolumeIdentity,
    durableOrdinal: number,
    receiver: VolumeReceiver,
    said: AttachedSource = {},
  ): Promise<Attachment> {
    const { promise, resolve, reject } = Promise.withResolvers<Attachment>();
    const source = { durableOrdinal, sourceAge: "known", isCopyDue: false, ...said } as const;
    const hello = (): object => encodeVolumeHello({ ...identity, ...source, attacher: this.#attacher });
    let attachedLink: RemoteVolumeLink | undefined;
    new Dial(this.#options, "volume", hello, {
      joined: (channel) =>
        new VolumeConversation({
          channel,
          pool: this.#pool,
          receiver,
          attached: (attachment, link) => {
            attachedLink = link;
            this.#links.add(link);
            resolve(attachment);
          },
          failed: reject,
          closed: () => {
            if (attachedLink !== undefined) this.#links.delete(attachedLink);
          },
        }),
      failed: reject,
    });
    return promise;
  }

  forgetVolume(id: string): Promise<void> {
    return new Promise((resolve, reject) => {
      new Dial(this.#options, "volume", () => encodeVolumeRemoval(id), {
        joined: (channel) => new RemovalConversation(channel, resolve, reject),
        failed: reject,
      });
    });
  }

  #roomAgain(): void {
    for (const link of this.#links) link.roomAgain();
  }
}
