/**
 * Stands before a remote appliance and knows the frames of the wire, as docs/formats.md has them: on order one of them comes twice,
 * not at all, behind the one that follows it, much later once more, or with a bit turned in its head or its body.
 */
import net from "node:net";
import tls from "node:tls";
import { onTestFinished } from "vitest";
import type { Direction, ProxyAddress } from "#test/oracle/link-proxy.ts";

export const mischiefs = ["double", "drop", "swap", "replay", "head", "body"] as const;
export type Mischief = (typeof mischiefs)[number];

const headBytes = 32;
const replayAfter = 20;

interface Order {
  readonly mischief: Mischief;
  readonly direction: Direction;
  /** How many frames go by before. */
  after: number;
  /** Which byte of head or body has a bit turned; beyond the end it is counted from the beginning again. */
  readonly place: number;
}

/** Both ends show this certificate, and trust it: what goes between them would be none of a proxy's business otherwise. */
export interface FrameTls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export class FrameProxy {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #order: Order | undefined;
  #ordered = 0;
  #done = 0;

  private constructor(target: ProxyAddress, secret: FrameTls | undefined) {
    this.#server =
      secret === undefined
        ? net.createServer((near) => this.#accept(near, net.connect({ ...target })))
        : tls.createServer(secret, (near) => this.#accept(near, tls.connect({ ...target, ca: secret.cert })));
  }

  /** Ends with the test. */
  static async between(listenAt: ProxyAddress, target: ProxyAddress, secret?: FrameTls): Promise<FrameProxy> {
    const proxy = new FrameProxy(target, secret);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(listenAt, resolve);
    });
    onTestFinished(() => {
      proxy.#server.close();
      for (const socket of proxy.#sockets) socket.destroy();
    });
    return proxy;
  }

  get ordered(): number {
    return this.#ordered;
  }

  /** How many orders were carried out. */
  get done(): number {
    return this.#done;
  }

  /** Carried out on whichever connection has so many frames first; one at a time. */
  order(mischief: Mischief, direction: Direction, after: number, place = 0): void {
    this.#ordered++;
    this.#order = { mischief, direction, after, place };
  }

  #accept(near: net.Socket, far: net.Socket): void {
    for (const [from, to, direction] of [
      [near, far, "up"],
      [far, near, "down"],
    ] as const) {
      this.#sockets.add(from);
      const frames = new FrameRow((frame) => this.#altered(frame, direction, frames));
      from.on("error", () => {});
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.on("data", (bytes: Buffer) => {
        if (to.destroyed || to.write(frames.take(bytes))) return;
        from.pause();
        to.once("drain", () => from.resume());
      });
    }
  }

  #altered(frame: Buffer, direction: Direction, row: FrameRow): readonly Buffer[] {
    const order = this.#order;
    if (order === undefined || order.direction !== direction || order.after-- > 0) return [frame];
    if (order.mischief === "body" && frame.length === headBytes) return [frame];
    this.#order = undefined;
    this.#done++;
    if (order.mischief === "double") return [frame, frame];
    if (order.mischief === "head") return [turned(frame, order.place % headBytes)];
    if (order.mischief === "body") return [turned(frame, headBytes + (order.place % (frame.length - headBytes)))];
    if (order.mischief === "swap") row.keepFor(1, frame);
    if (order.mischief === "replay") row.keepFor(replayAfter, frame);
    return order.mischief === "replay" ? [frame] : [];
  }
}

function turned(frame: Buffer, at: number): Buffer {
  const altered = Buffer.from(frame);
  altered.writeUInt8(altered.readUInt8(at) ^ 4, at);
  return altered;
}

/** Cuts what one end says into frames, and puts back in what was kept of them. */
class FrameRow {
  readonly #alter: (frame: Buffer) => readonly Buffer[];
  #bytes: Buffer = Buffer.alloc(0);
  #kept: { readonly frame: Buffer; frames: number } | undefined;

  constructor(alter: (frame: Buffer) => readonly Buffer[]) {
    this.#alter = alter;
  }

  keepFor(frames: number, frame: Buffer): void {
    this.#kept = { frame, frames };
  }

  take(bytes: Buffer): Buffer {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    const out: Buffer[] = [];
    while (this.#bytes.length >= headBytes) {
      const size = headBytes + this.#bytes.readUInt32LE(8);
      if (this.#bytes.length < size) break;
      const kept = this.#kept;
      out.push(...this.#alter(Buffer.from(this.#bytes.subarray(0, size))));
      this.#bytes = this.#bytes.subarray(size);
      if (kept === undefined || --kept.frames > 0) continue;
      out.push(kept.frame);
      this.#kept = undefined;
    }
    return Buffer.concat(out);
  }
}
