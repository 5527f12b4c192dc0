/** The local appliance's door for interceptors in other processes. */
import type { SocketAddress } from "#src/host/socket.ts";
import { Acceptor, type AcceptorOptions } from "./acceptor.ts";
import type { FrameChannel, FrameHandler } from "./frame-channel.ts";
import type { JsonFields } from "./json-fields.ts";
import type { ForgetsVolumes, VolumeLinks } from "./volume-link.ts";
import { readVolumeHello, readVolumeRemoval } from "./volume-messages.ts";
import { RemovalSession } from "./volume-removal.ts";
import { VolumeSession } from "./volume-session.ts";

export class VolumeLinkServer {
  readonly #options: AcceptorOptions;
  readonly #volumes: VolumeLinks & ForgetsVolumes;
  readonly #acceptor: Acceptor;
  readonly #sessions = new Set<VolumeSession>();

  /** `volumes`: the appliance itself. */
  constructor(options: AcceptorOptions, volumes: VolumeLinks & ForgetsVolumes) {
    this.#options = options;
    this.#volumes = volumes;
    this.#acceptor = new Acceptor(options, "volume", (channel, fields) => this.#accept(channel, fields));
  }

  get connectionCount(): number {
    return this.#acceptor.connectionCount;
  }

  listen(address: SocketAddress): Promise<SocketAddress> {
    return this.#acceptor.listen(address);
  }

  close(): Promise<void> {
    return this.#acceptor.close("the local appliance stops");
  }

  #accept(channel: FrameChannel, fields: JsonFields): FrameHandler {
    const removed = readVolumeRemoval(fields);
    return removed === undefined ? this.#attach(channel, fields) : this.#forget(channel, removed);
  }

  #forget(channel: FrameChannel, id: string): RemovalSession {
    const session = new RemovalSession(channel);
    void session.forget(this.#volumes, id);
    return session;
  }

  #attach(channel: FrameChannel, fields: JsonFields): VolumeSession {
    const hello = readVolumeHello(fields);
    const others = [...this.#sessions].filter(
      (other) => other.hello.id === hello.id && other.hello.attacher === hello.attacher,
    );
    for (const other of others) other.replace();
    const session = new VolumeSession(channel, hello, (error) => {
      this.#sessions.delete(session);
      const said = { peer: channel.peer, volume: hello.name, why: error.message };
      // It comes again and again, and says by itself why it waits.
      if (session.isAttached) this.#options.log.info("an interceptor has left", said);
      else this.#options.log.debug("an interceptor could not attach", said);
    });
    this.#sessions.add(session);
    void session.attach(
      this.#volumes,
      others.map((other) => other.gone),
    );
    return session;
  }
}
