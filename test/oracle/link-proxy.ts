/**
 * A stand-in for the network between two processes: it listens, passes on what comes to where the other one listens, and
 * can cut, go silent, slow down or change a byte. It knows nothing of what it passes on.
 */
import net from "node:net";
import { onTestFinished } from "vitest";

/** As `net` takes it: a path or a port. */
export type ProxyAddress = { readonly path: string } | { readonly host: string; readonly port: number };

export type Direction = "up" | "down";

interface Line {
  readonly near: net.Socket;
  readonly far: net.Socket;
}

interface Held {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

export class LinkProxy {
  readonly #target: ProxyAddress;
  readonly #server: net.Server;
  readonly #lines = new Set<Line>();
  #refuses = false;
  #silent = false;
  #delayMs = 0;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  #toCorrupt: { readonly direction: Direction; after: number } | undefined;
  #connections = 0;
  #swallowed = 0;
  readonly #passed: Record<Direction, number> = { up: 0, down: 0 };

  private constructor(target: ProxyAddress) {
    this.#target = target;
    this.#server = net.createServer((near) => this.#accept(near));
  }

  /** `up` is from those who connect here to `target`. Ends with the test. */
  static async between(listenAt: ProxyAddress, target: ProxyAddress): Promise<LinkProxy> {
    const proxy = new LinkProxy(target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(listenAt, resolve);
    });
    onTestFinished(() => proxy.close());
    return proxy;
  }

  /** Where to connect to. */
  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy listens on a Unix socket");
    return address.port;
  }

  /** Connections so far, and those that stand. */
  get connections(): number {
    return this.#connections;
  }

  get standing(): number {
    return this.#lines.size;
  }

  passedBytes(direction: Direction): number {
    return this.#passed[direction];
  }

  /** What was lost while it was silent. */
  get swallowedBytes(): number {
    return this.#swallowed;
  }

  /** Ends all connections at once. New ones are taken, unless `refuse` says no. */
  cut(): void {
    for (const { near, far } of this.#lines) {
      near.destroy();
      far.destroy();
    }
  }

  /** Hangs up on whoever connects, until `accept`. */
  refuse(): void {
    this.#refuses = true;
    this.cut();
  }

  accept(): void {
    this.#refuses = false;
  }

  /** Half-open: both ends stay connected, and nothing arrives any more. What was under way is lost for good. */
  goSilent(): void {
    this.#silent = true;
  }

  /** New connections are passed on again; those that went silent are ended, since bytes of theirs are missing. */
  speak(): void {
    this.#silent = false;
    this.cut();
  }

  delay(milliseconds: number): void {
    this.#delayMs = milliseconds;
  }

  /** For each direction of each connection. */
  throttle(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Flips a bit of the byte that comes after so many others from now on. */
  corrupt(direction: Direction, after: number): void {
    this.#toCorrupt = { direction, after };
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#refuses = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #accept(near: net.Socket): void {
    this.#connections++;
    if (this.#refuses) {
      near.on("error", () => {});
      near.destroy();
      return;
    }
    const far = net.connect({ ...this.#target, allowHalfOpen: false });
    const line = { near, far };
    this.#lines.add(line);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      // What is broken on one side is broken on the other.
      from.on("error", () => {});
      from.on("close", () => {
        this.#lines.delete(line);
        if (!this.#silent) to.destroy();
      });
    }
    this.#pass(near, far, "up");
    this.#pass(far, near, "down");
  }

  #pass(from: net.Socket, to: net.Socket, direction: Direction): void {
    const held: Held[] = [];
    let freeMs = 0;
    const send = (): void => {
      for (let next = held[0]; next !== undefined; next = held[0]) {
        const waitMs = next.dueMs - performance.now();
        if (waitMs > 1) {
          setTimeout(send, waitMs);
          return;
        }
        held.shift();
        if (this.#silent || to.destroyed) continue;
        this.#passed[direction] += next.bytes.length;
        if (!to.write(next.bytes)) {
          to.once("drain", send);
          return;
        }
      }
      from.resume();
    };
    from.on("data", (bytes: Buffer) => {
      if (this.#silent) {
        this.#swallowed += bytes.length;
        return;
      }
      this.#alter(bytes, direction);
      const nowMs = performance.now();
      freeMs = Math.max(freeMs, nowMs) + (bytes.length / this.#bytesPerSecond) * 1000;
      held.push({ bytes, dueMs: Math.max(freeMs, nowMs + this.#delayMs) });
      // One piece at a time: what waits here is bounded by what the sockets hold.
      if (this.#delayMs === 0 || held.length > 64) from.pause();
      if (held.length === 1) send();
    });
  }

  #alter(bytes: Buffer, direction: Direction): void {
    const target = this.#toCorrupt;
    if (target === undefined || target.direction !== direction) return;
    if (target.after >= bytes.length) target.after -= bytes.length;
    else {
      bytes.writeUInt8(bytes.readUInt8(target.after) ^ 1, target.after);
      this.#toCorrupt = undefined;
    }
  }
}
