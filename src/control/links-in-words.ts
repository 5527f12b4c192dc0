/** The way to a local appliance in another process, and what to do where there is none. */
import { ReconnectError } from "#src/core/errors.ts";
import type {
  AttachedSource,
  Attachment,
  ForgetsVolumes,
  VolumeIdentity,
  VolumeLinks,
  VolumeReceiver,
} from "#src/wire/volume-link.ts";

export class LinksInWords implements VolumeLinks, ForgetsVolumes {
  readonly #links: VolumeLinks & ForgetsVolumes;
  readonly #socket: string;

  constructor(links: VolumeLinks & ForgetsVolumes, socket: string) {
    this.#links = links;
    this.#socket = socket;
  }

  attach(
    identity: VolumeIdentity,
    durableOrdinal: number,
    receiver: VolumeReceiver,
    said?: AttachedSource,
  ): Promise<Attachment> {
    return this.#inWords(this.#links.attach(identity, durableOrdinal, receiver, said));
  }

  forgetVolume(id: string): Promise<void> {
    return this.#inWords(this.#links.forgetVolume(id));
  }

  #inWords<Result>(asked: Promise<Result>): Promise<Result> {
    return asked.catch((error: Error) => {
      const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ECONNREFUSED") throw error;
      const what = `the local appliance is not there (nothing listens on ${this.#socket}): 'tidemark local' starts it`;
      throw new ReconnectError(what, { cause: error });
    });
  }
}
