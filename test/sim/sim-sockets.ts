/** The sockets port over a simulated network. TLS is not simulated: securing a connection takes a moment and changes nothing. */
import { assert } from "#src/core/assert.ts";
import type { Connection, Listener, SecureOptions, SocketAddress, Sockets } from "#src/host/socket.ts";
import { SimConnection } from "./sim-connection.ts";
import { describeAddress, type NetworkHost, type SimNetwork } from "./sim-network.ts";
import { systemError } from "./system-error.ts";

const ownNames = new Set(["localhost", "127.0.0.1", "::1"]);

export class SimSockets implements Sockets {
  readonly #network: SimNetwork;
  readonly #host: NetworkHost;

  constructor(network: SimNetwork, host: NetworkHost) {
    this.#network = network;
    this.#host = host;
  }

  async listen(address: SocketAddress, accepted: (connection: Connection) => void): Promise<Listener> {
    const host = this.#host;
    const bound = this.#network.addListener(host, address, { host, accepted });
    if (bound === undefined) throw systemError("EADDRINUSE", describeAddress(address));
    return {
      address: bound,
      close: async () => this.#network.removeListener(host, bound),
    };
  }

  connect(address: SocketAddress, timeoutMs: number): Promise<Connection> {
    if (address.kind === "inherited") return Promise.reject(systemError("EINVAL", describeAddress(address)));
    const serverName = address.kind === "unix" || ownNames.has(address.host) ? this.#host.name : address.host;
    const there = this.#network.path(this.#host.name, serverName).openLink();
    const back = this.#network.path(serverName, this.#host.name).openLink();
    const life = this.#host.clock.life;
    return new Promise((resolve, reject) => {
      let isAnswered = false;
      const answer = (act: () => void): void => {
        if (!isAnswered && life === this.#host.clock.life) act();
        isAnswered = true;
        timer.cancel();
      };
      const timer = this.#host.clock.timer(timeoutMs, () =>
        answer(() => reject(systemError("ETIMEDOUT", describeAddress(address)))),
      );
      there.carry(() => {
        if (life !== this.#host.clock.life) return;
        const listener = this.#network.listenerAt(serverName, address);
        if (listener === undefined) {
          const code = address.kind === "unix" ? "ENOENT" : "ECONNREFUSED";
          back.carry(() => answer(() => reject(systemError(code, describeAddress(address)))));
          return;
        }
        const { client, server } = this.#network.join(this.#host, listener.host, address, [there, back]);
        listener.host.clock.soon(() => listener.accepted(server.end));
        back.carry(() => {
          if (isAnswered) client.end.destroy();
          else answer(() => resolve(client.end));
        });
      });
    });
  }

  secure(connection: Connection, _options: SecureOptions): Promise<Connection> {
    assert(connection instanceof SimConnection, "what is secured is of this network");
    connection.takeOver();
    return new Promise((resolve) => {
      this.#host.clock.soon(() => resolve(connection));
    });
  }
}
