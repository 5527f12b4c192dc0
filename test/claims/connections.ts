/** One host with several connections to a volume: requests go over them in turn. A flush on one stands for all. */
import type { NbdClient } from "#src/nbd/client/client.ts";
import type { Attached } from "#test/oracle/history-writer.ts";
import { openVolume } from "#test/oracle/volume-client.ts";

export class Connections implements Attached {
  readonly #clients: readonly NbdClient[];
  #turn = 0;

  private constructor(clients: readonly NbdClient[]) {
    this.#clients = clients;
  }

  static async open(uri: string, count: number): Promise<Connections> {
    return new Connections(await Promise.all(Array.from({ length: count }, () => openVolume(uri))));
  }

  get #next(): NbdClient {
    this.#turn = (this.#turn + 1) % this.#clients.length;
    return this.#clients[this.#turn] as NbdClient;
  }

  read: Attached["read"] = (...range) => this.#next.read(...range);
  write: Attached["write"] = (...change) => this.#next.write(...change);
  flush: Attached["flush"] = () => this.#next.flush();
  trim: Attached["trim"] = (...change) => this.#next.trim(...change);
  writeZeroes: Attached["writeZeroes"] = (...change) => this.#next.writeZeroes(...change);

  async disconnect(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.disconnect()));
  }
}
