/** The way to a local appliance in another process, and what to do where there is none. */
import { ReconnectError } from "#src/core/errors.ts";
import type { Attachment, SourceAge, VolumeIdentity, VolumeLinks, VolumeReceiver } from "#src/wire/volume-link.ts";

export class LinksInWords implements VolumeLinks {
  readonly #links: VolumeLinks;
  readonly #socket: string;

  constructor(links: VolumeLinks, socket: string) {
    this.#links = links;
    this.#socket = socket;
  }

  attach(
    identity: VolumeIdentity,
    durableOrdinal: number,
    receiver: VolumeReceiver,
    sourceAge?: SourceAge,
    isCopyDue?: boolean,
  ): Promise<Attachment> {
    return this.#links.attach(identity, durableOrdinal, receiver, sourceAge, isCopyDue).catch((error: Error) => {
      const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ECONNREFUSED") throw error;
      const what = `the local appliance is not there (nothing listens on ${this.#socket}): 'tidemark local' starts it`;
      throw new ReconnectError(what, { cause: error });
    });
  }
}
