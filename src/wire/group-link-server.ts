/** The remote appliance's door: listens, and opens a session for each local appliance that proves who it is. */
import type { SocketAddress } from "#src/host/socket.ts";
import { Acceptor, type AcceptorOptions } from "./acceptor.ts";
import type { FrameChannel } from "./frame-channel.ts";
import type { GroupSessions } from "./group-link.ts";
import { offersRecall, readHello } from "./group-messages.ts";
import { OpenGroupSession } from "./group-session.ts";
import type { JsonFields } from "./json-fields.ts";

export class GroupLinkServer {
  readonly #options: AcceptorOptions;
  readonly #sessions: GroupSessions;
  readonly #acceptor: Acceptor;

  constructor(options: AcceptorOptions, sessions: GroupSessions) {
    this.#options = options;
    this.#sessions = sessions;
    this.#acceptor = new Acceptor(options, "group", (channel, fields) => this.#accept(channel, fields));
  }

  get connectionCount(): number {
    return this.#acceptor.connectionCount;
  }

  /** May be called for several addresses. Answers the one in use, with the port that the host chose if 0 was asked for. */
  listen(address: SocketAddress): Promise<SocketAddress> {
    return this.#acceptor.listen(address);
  }

  close(): Promise<void> {
    return this.#acceptor.close("the remote appliance stops");
  }

  #accept(channel: FrameChannel, fields: JsonFields): OpenGroupSession {
    const hello = readHello(fields);
    const session = new OpenGroupSession(channel, offersRecall(fields), (error, wasWelcome) => {
      const facts = { peer: channel.peer, group: hello.groupName, why: error.message };
      if (wasWelcome) this.#options.log.info("a local appliance has left", facts);
      else this.#options.log.warn("a local appliance was turned away", facts);
    });
    void session.open(this.#sessions, hello);
    return session;
  }
}
