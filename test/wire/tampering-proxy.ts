/** Stands between two ends of a link, knows what a frame is, and does with each as it is told. */
import type { Connection, Receiver, SocketAddress } from "#src/host/socket.ts";
import type { SimHost } from "#test/sim/sim-host.ts";

/** What goes on in place of a frame. `index` counts the frames of this direction, over all connections. */
export type Tamper = (frame: Buffer, index: number) => readonly Buffer[];

export const asItIs: Tamper = (frame) => [frame];

export interface Tampering {
  there: Tamper;
  back: Tamper;
}

const headerBytes = 32;
const bodyBytesAt = 8;

export async function tamperingProxy(host: SimHost, address: SocketAddress, target: SocketAddress) {
  const tampering: Tampering = { there: asItIs, back: asItIs };
  const counts = { there: 0, back: 0 };
  await host.sockets.listen(address, (client) => {
    void host.sockets.connect(target, 10_000).then(
      (server) => {
        const toServer = new Forwarder(server, (frame) => tampering.there(frame, counts.there++));
        const toClient = new Forwarder(client, (frame) => tampering.back(frame, counts.back++));
        client.start(toServer.receiver(() => toClient.drained()));
        server.start(toClient.receiver(() => toServer.drained()));
      },
      () => client.destroy(),
    );
  });
  return tampering;
}

/** One direction. */
class Forwarder {
  readonly #to: Connection;
  readonly #tamper: (frame: Buffer) => readonly Buffer[];
  readonly #target = Buffer.alloc(65_536);
  #partial = Buffer.alloc(0);
  #waiting: Buffer[] = [];
  #isEnded = false;

  constructor(to: Connection, tamper: (frame: Buffer) => readonly Buffer[]) {
    this.#to = to;
    this.#tamper = tamper;
  }

  /** What hears of the connection that bytes come from; whose being drained is the other direction's business. */
  receiver(drained: () => void): Receiver {
    return {
      target: () => this.#target,
      received: (buffer, byteLength) => {
        this.#partial = Buffer.concat([this.#partial, buffer.subarray(0, byteLength)]);
        for (let frame = this.#takeFrame(); frame !== undefined; frame = this.#takeFrame()) {
          this.#waiting.push(...this.#tamper(frame));
        }
        this.#sendOn();
        return false;
      },
      drained,
      ended: () => {
        this.#isEnded = true;
        this.#sendOn();
      },
      closed: () => this.#to.destroy(),
    };
  }

  #takeFrame(): Buffer | undefined {
    if (this.#partial.length < headerBytes) return undefined;
    const frameBytes = headerBytes + this.#partial.readUInt32LE(bodyBytesAt);
    if (this.#partial.length < frameBytes) return undefined;
    const frame = this.#partial.subarray(0, frameBytes);
    this.#partial = this.#partial.subarray(frameBytes);
    return frame;
  }

  drained(): void {
    this.#sendOn();
  }

  #sendOn(): void {
    if (this.#to.unsentBytes > 0) return;
    const pieces = this.#waiting;
    this.#waiting = [];
    if (pieces.length > 0 && !this.#to.sendAll(pieces)) return;
    if (this.#isEnded) this.#to.end();
  }
}
