/**
 * Stands between hosts and the export of a volume, passes on what they say, and keeps a log of it. It reads NBD as the
 * protocol's document has it, with nothing of the product's code. Each request is passed on as a whole, in the order of
 * arrival; `hold` lets none through until those under way are answered.
 */
import net from "node:net";
import { onTestFinished } from "vitest";
import type { ProxyAddress } from "#test/oracle/link-proxy.ts";
import type { HostChange, HostLog } from "./host-log.ts";

const magic = { request: 0x25609513, simple: 0x67446698, structured: 0x668e33ef };
const request = { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4, zero: 6 };
const option = { exportName: 1, go: 7, structured: 8, extended: 11 };
const acknowledged = 1;
const noHoleFlag = 2;
const doneFlag = 1;
const requestHeadBytes = 28;
const greetingBytes = 18;

interface Asked {
  readonly command: number;
  readonly length: number;
  /** Of a write, a trim, zeros. */
  readonly change: HostChange | undefined;
}

export class RecordingRelay {
  readonly #target: ProxyAddress;
  readonly #log: HostLog;
  readonly #server: net.Server;
  readonly #lines = new Set<Line>();
  #failure: Error | undefined;

  private constructor(target: ProxyAddress, log: HostLog) {
    this.#target = target;
    this.#log = log;
    this.#server = net.createServer((near) => {
      const line = new Line(near, net.connect(this.#target), this.#log, (error) => {
        this.#lines.delete(line);
        this.#failure ??= error;
      });
      this.#lines.add(line);
    });
  }

  /** Listens at a Unix socket until the test ends. */
  static async at(path: string, target: ProxyAddress, log: HostLog): Promise<RecordingRelay> {
    const relay = new RecordingRelay(target, log);
    await new Promise<void>((resolve, reject) => {
      relay.#server.once("error", reject);
      relay.#server.listen({ path }, resolve);
    });
    onTestFinished(() => {
      for (const line of relay.#lines) line.end();
      relay.#server.close();
    });
    return relay;
  }

  /** Resolves when nothing is under way; what comes meanwhile waits for `release`. */
  async hold(): Promise<void> {
    await Promise.all([...this.#lines].map((line) => line.hold()));
  }

  release(): void {
    for (const line of this.#lines) line.release();
  }

  /** Throws if anything was not as the protocol has it. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

class Line {
  readonly #near: net.Socket;
  readonly #far: net.Socket;
  readonly #log: HostLog;
  readonly #underWay = new Map<bigint, Asked>();
  readonly #ended: (error?: Error) => void;
  #phase: "flags" | "options" | "requests" = "flags";
  #greeted = false;
  #isStructured = false;
  #asked: Buffer = Buffer.alloc(0);
  #answered: Buffer = Buffer.alloc(0);
  /** Of an answer's data, which is not looked at. */
  #skipBytes = 0;
  #isHeld = false;
  #quiet: (() => void) | undefined;

  constructor(near: net.Socket, far: net.Socket, log: HostLog, ended: (error?: Error) => void) {
    this.#near = near;
    this.#far = far;
    this.#log = log;
    this.#ended = ended;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("error", () => {});
      from.on("close", () => {
        to.destroy();
        this.#ended();
      });
    }
    near.on("data", (bytes: Buffer) => this.#guarded(() => this.#fromHost(bytes)));
    far.on("data", (bytes: Buffer) => {
      this.#guarded(() => this.#fromVolume(bytes));
      this.#pass(far, near, bytes);
    });
  }

  end(): void {
    this.#near.destroy();
    this.#far.destroy();
  }

  hold(): Promise<void> {
    this.#isHeld = true;
    if (this.#underWay.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#quiet = resolve;
    });
  }

  release(): void {
    this.#isHeld = false;
    this.#guarded(() => this.#fromHost(Buffer.alloc(0)));
  }

  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#ended(error as Error);
      this.end();
    }
  }

  #pass(from: net.Socket, to: net.Socket, bytes: Buffer): void {
    if (to.write(bytes)) return;
    from.pause();
    to.once("drain", () => from.resume());
  }

  // What the host says

  #fromHost(bytes: Buffer): void {
    this.#asked = this.#asked.length === 0 ? bytes : Buffer.concat([this.#asked, bytes]);
    for (let size = this.#nextBytes(); size > 0 && size <= this.#asked.length; size = this.#nextBytes()) {
      const whole = this.#asked.subarray(0, size);
      this.#asked = this.#asked.subarray(size);
      this.#take(whole);
      this.#pass(this.#near, this.#far, whole);
    }
  }

  /** How long the next thing is that the host says; 0: that is not known yet, or it has to wait. */
  #nextBytes(): number {
    const bytes = this.#asked;
    if (this.#phase === "flags") return 4;
    if (this.#phase === "options") return bytes.length < 16 ? 0 : 16 + bytes.readUInt32BE(12);
    if (this.#isHeld || bytes.length < requestHeadBytes) return 0;
    const isWrite = bytes.readUInt16BE(6) === request.write;
    return requestHeadBytes + (isWrite ? bytes.readUInt32BE(24) : 0);
  }

  #take(whole: Buffer): void {
    if (this.#phase === "flags") this.#phase = "options";
    else if (this.#phase === "requests") this.#request(whole);
    else if (whole.readUInt32BE(8) === option.exportName) throw new Error("a host that does not say GO");
  }

  #request(bytes: Buffer): void {
    if (bytes.readUInt32BE(0) !== magic.request) throw new Error("a request of the host has another magic");
    const command = bytes.readUInt16BE(6);
    if (command === request.disconnect) return;
    const length = bytes.readUInt32BE(24);
    this.#underWay.set(bytes.readBigUInt64BE(8), { command, length, change: this.#changeOf(command, bytes, length) });
  }

  #changeOf(command: number, bytes: Buffer, length: number): HostChange | undefined {
    const offset = Number(bytes.readBigUInt64BE(16));
    if (command === request.write) return this.#log.passed("write", offset, length, bytes.subarray(requestHeadBytes));
    if (command === request.trim) return this.#log.passed("trim", offset, length);
    if (command !== request.zero) return undefined;
    const keepsSpace = (bytes.readUInt16BE(4) & noHoleFlag) !== 0;
    return this.#log.passed(keepsSpace ? "zero" : "clear", offset, length);
  }

  // What the volume says

  #fromVolume(bytes: Buffer): void {
    this.#answered = this.#answered.length === 0 ? bytes : Buffer.concat([this.#answered, bytes]);
    for (;;) {
      const skipped = Math.min(this.#skipBytes, this.#answered.length);
      this.#skipBytes -= skipped;
      this.#answered = this.#answered.subarray(skipped);
      const size = this.#phase === "requests" ? this.#reply() : this.#handshake();
      if (size === 0) return;
      this.#answered = this.#answered.subarray(size);
    }
  }

  #handshake(): number {
    const bytes = this.#answered;
    if (!this.#greeted) {
      this.#greeted = bytes.length >= greetingBytes;
      return this.#greeted ? greetingBytes : 0;
    }
    if (bytes.length < 20 || bytes.length < 20 + bytes.readUInt32BE(16)) return 0;
    if (bytes.readUInt32BE(12) === acknowledged) {
      const about = bytes.readUInt32BE(8);
      if (about === option.extended) throw new Error("extended headers are beyond this relay");
      if (about === option.structured) this.#isStructured = true;
      if (about === option.go) this.#phase = "requests";
    }
    return 20 + bytes.readUInt32BE(16);
  }

  /** Answers how long its head is; 0: there is none yet. */
  #reply(): number {
    const bytes = this.#answered;
    if (bytes.length < 20 && (bytes.length < 16 || bytes.readUInt32BE(0) !== magic.simple)) return 0;
    const cookie = bytes.readBigUInt64BE(8);
    const asked = this.#underWay.get(cookie);
    if (asked === undefined) throw new Error("an answer to nothing that the host asked");
    if (bytes.readUInt32BE(0) === magic.simple) {
      const hasFailed = bytes.readUInt32BE(4) !== 0;
      if (asked.command === request.read && !hasFailed && !this.#isStructured) this.#skipBytes = asked.length;
      this.#done(cookie, asked, hasFailed);
      return 16;
    }
    if (bytes.readUInt32BE(0) !== magic.structured) throw new Error("an answer has another magic");
    this.#skipBytes = bytes.readUInt32BE(16);
    const hasFailed = (bytes.readUInt16BE(6) & 0x8000) !== 0;
    if ((bytes.readUInt16BE(4) & doneFlag) !== 0) this.#done(cookie, asked, hasFailed);
    return 20;
  }

  #done(cookie: bigint, { change }: Asked, hasFailed: boolean): void {
    this.#underWay.delete(cookie);
    if (change !== undefined) this.#log.answered(change, hasFailed);
    if (this.#underWay.size > 0) return;
    this.#quiet?.();
    this.#quiet = undefined;
  }
}
