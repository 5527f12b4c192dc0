/**
 * A server whose every byte the test chooses, over a connection without a network: bytes arrive when the test says so,
 * and time passes when the test says so. Nothing here is asynchronous but the promises of the client itself.
 */
import { expect } from "vitest";
import type { Clock, Timer } from "#src/host/clock.ts";
import type { Connection, Receiver, Sockets } from "#src/host/socket.ts";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { type ConnectOptions, connect } from "#src/nbd/client/connect.ts";
import type { Wants } from "#src/nbd/client/handshake.ts";
import { handshakeFlag, option, optionReply, replyFlag } from "#src/nbd/constants.ts";
import {
  type BlockSizes,
  encodeBlockSizeInfo,
  encodeExportInfo,
  encodeGreeting,
  encodeMetaContext,
  encodeOptionReply,
} from "#src/nbd/option-codec.ts";
import { encodeChunk, encodeSimpleReply, type ReplyStyle } from "#src/nbd/reply-codec.ts";
import { decodeRequest, emptyRequestHeader, type RequestHeader, requestHeaderLength } from "#src/nbd/request-codec.ts";

export class ScriptedClock implements Clock {
  #nowMs = 1000;
  #soon: (() => void)[] = [];
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  hostMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  timer(delayMs: number, callback: () => void): Timer {
    const entry = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(entry);
    return { cancel: () => void this.#timers.delete(entry) };
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  get isIdle(): boolean {
    return this.#soon.length === 0;
  }

  /** Turns of the event loop until there is nothing left to do in them. */
  turn(): void {
    while (this.#soon.length > 0) for (const callback of this.#soon.splice(0)) callback();
  }

  advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    for (;;) {
      this.turn();
      const due = [...this.#timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#nowMs = due.dueMs;
      due.callback();
    }
    this.#nowMs = endMs;
  }
}

export interface HeardRequest extends RequestHeader {
  readonly payload: Buffer;
}

export class ScriptedConnection implements Connection {
  readonly peer = "script";
  readonly started: Promise<void>;
  /** Calls of `send` and `sendAll`. */
  sendCount = 0;
  /** While true the connection holds what it is given, and `drain` lets it go. */
  isSlow = false;
  ending: "none" | "ended" | "destroyed" = "none";
  unsentBytes = 0;
  /** Where bytes landed, read by read. */
  readonly receivedBuffers: Buffer[] = [];
  readonly #clock: ScriptedClock;
  readonly #tellStarted: () => void;
  #receiver: Receiver | undefined;
  #heard: Buffer[] = [];
  #held: Buffer[] = [];
  #hungUp = false;
  #isClosed = false;

  constructor(clock: ScriptedClock) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.started = promise;
    this.#tellStarted = resolve;
    this.#clock = clock;
  }

  start(receiver: Receiver): void {
    expect(this.#receiver).toBeUndefined();
    this.#receiver = receiver;
    this.#tellStarted();
  }

  send(buffer: Buffer, start: number, end: number): boolean {
    return this.sendAll([buffer.subarray(start, end)]);
  }

  sendAll(pieces: readonly Buffer[]): boolean {
    expect(this.unsentBytes).toBe(0);
    this.sendCount++;
    if (this.ending === "destroyed") return true;
    if (!this.isSlow) {
      // A copy: the caller may use the memory again.
      this.#heard.push(Buffer.concat(pieces));
      return true;
    }
    this.#held = [...pieces];
    this.unsentBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    return false;
  }

  /** The held bytes leave; they are read only now, as a kernel does. */
  drain(): void {
    this.#heard.push(Buffer.concat(this.#held.splice(0)));
    this.unsentBytes = 0;
    this.#receiver?.drained();
  }

  expectAnswer(): void {}

  pause(): void {}

  resume(): void {}

  end(): void {
    if (this.ending === "none") this.ending = "ended";
  }

  destroy(): void {
    if (this.ending === "destroyed") return;
    this.ending = "destroyed";
    this.#clock.soon(() => this.#close());
  }

  /** The server says this; it arrives in as many reads as the client's buffers make of it. */
  say(...parts: readonly Uint8Array[]): void {
    const bytes = Buffer.concat(parts);
    for (let at = 0; at < bytes.length && this.ending !== "destroyed" && !this.#hungUp; ) {
      const target = this.#receiver?.target() as Buffer;
      expect(target.length).toBeGreaterThan(0);
      const count = bytes.copy(target, 0, at);
      at += count;
      this.receivedBuffers.push(target);
      this.#receiver?.received(target, count);
    }
  }

  hangUp(): void {
    if (this.#hungUp || this.ending === "destroyed") return;
    this.#hungUp = true;
    this.#receiver?.ended();
    this.#clock.soon(() => this.#close());
  }

  /** All that the client sent since this was asked last. */
  takeHeard(): Buffer {
    return Buffer.concat(this.#heard.splice(0));
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#receiver?.closed();
  }
}

export interface Script {
  readonly style?: ReplyStyle;
  readonly sizeBytes?: number;
  readonly transmissionFlags?: number;
  readonly blockSizes?: BlockSizes;
  readonly contextIds?: readonly number[];
}

export const requestTimeoutMs = 1000;

export interface Opening {
  readonly clock: ScriptedClock;
  readonly wire: ScriptedConnection;
  readonly client: Promise<NbdClient>;
}

/** Begins to connect; the server has said nothing yet. */
export async function begin(want: Wants, options: Partial<ConnectOptions> = {}): Promise<Opening> {
  const clock = new ScriptedClock();
  const wire = new ScriptedConnection(clock);
  const client = connect({ ...optionsFor(clock, wire), exportName: "disk", want, ...options });
  // Who awaits it later hears of a failure then.
  client.catch(() => {});
  await wire.started;
  return { clock, wire, client };
}

export function optionsFor(clock: ScriptedClock, wire: ScriptedConnection) {
  const sockets: Sockets = {
    listen: () => Promise.reject(new Error("this script only connects")),
    connect: () => Promise.resolve(wire),
    secure: () => Promise.reject(new Error("no TLS in this script")),
  };
  return {
    address: { kind: "unix", path: "script" },
    connectTimeoutMs: 1000,
    requestTimeoutMs,
    sockets,
    clock,
  } as const;
}

export function wantFor(script: Script): Wants {
  const style = script.style ?? "structured";
  const contexts = script.contextIds ?? [];
  return {
    structured: style === "structured",
    extended: style === "extended",
    metaContexts: contexts.map((id) => `x:${id}`),
  };
}

/** What a server says in the handshake, message by message. */
export function handshakeReplies(script: Script): Buffer[] {
  const none = Buffer.alloc(0);
  const style = script.style ?? "structured";
  const replies = [encodeGreeting(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes)];
  if (style === "extended") replies.push(encodeOptionReply(option.extendedHeaders, optionReply.ack, none));
  if (style === "structured") replies.push(encodeOptionReply(option.structuredReply, optionReply.ack, none));
  if (script.contextIds !== undefined) {
    for (const id of script.contextIds) {
      replies.push(encodeOptionReply(option.setMetaContext, optionReply.metaContext, encodeMetaContext(id, `x:${id}`)));
    }
    replies.push(encodeOptionReply(option.setMetaContext, optionReply.ack, none));
  }
  const size = encodeExportInfo(script.sizeBytes ?? 2 ** 30, script.transmissionFlags ?? allFlags);
  replies.push(encodeOptionReply(option.go, optionReply.info, size));
  if (script.blockSizes !== undefined) {
    replies.push(encodeOptionReply(option.go, optionReply.info, encodeBlockSizeInfo(script.blockSizes)));
  }
  replies.push(encodeOptionReply(option.go, optionReply.ack, none));
  return replies;
}

/** All that a server can do, and not read-only. */
export const allFlags = 0xffff & ~2;

export interface Opened {
  readonly clock: ScriptedClock;
  readonly wire: ScriptedConnection;
  readonly client: NbdClient;
  /** The requests that the client has sent since this was asked last. */
  requests(): HeardRequest[];
}

/** A client in the middle of transmission, with a server that says what the test wants. */
export async function open(script: Script = {}, options: Partial<ConnectOptions> = {}): Promise<Opened> {
  const { clock, wire, client } = await begin(wantFor(script), options);
  for (const reply of handshakeReplies(script)) wire.say(reply);
  const opened = await client;
  wire.takeHeard();
  wire.sendCount = 0;
  const requests = () => {
    clock.turn();
    return decodeRequests(wire.takeHeard(), script.style === "extended");
  };
  return { clock, wire, client: opened, requests };
}

export function decodeRequests(bytes: Buffer, extended: boolean): HeardRequest[] {
  const requests: HeardRequest[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = emptyRequestHeader();
    expect(decodeRequest(bytes, at, extended, header)).toBe(true);
    at += requestHeaderLength(extended);
    requests.push({ ...header, payload: bytes.subarray(at, at + header.payloadBytes) });
    at += header.payloadBytes;
  }
  return requests;
}

export function simpleReply(request: RequestHeader, error = 0): Buffer {
  const bytes = Buffer.alloc(16);
  encodeSimpleReply(bytes, 0, error, request);
  return bytes;
}

export interface ChunkSpec {
  readonly type: number;
  readonly payload?: Uint8Array;
  readonly isLast?: boolean;
  /** Instead of the payload's own length. */
  readonly payloadBytes?: number;
}

export function chunk(style: ReplyStyle, request: RequestHeader, spec: ChunkSpec): Buffer {
  const payload = spec.payload ?? Buffer.alloc(0);
  const bytes = Buffer.alloc(32);
  const flags = spec.isLast === false ? 0 : replyFlag.done;
  const payloadBytes = spec.payloadBytes ?? payload.length;
  const headerBytes = encodeChunk(bytes, 0, style === "extended", { flags, type: spec.type, payloadBytes }, request);
  return Buffer.concat([bytes.subarray(0, headerBytes), payload]);
}

/** The words of numbers: a width in bits and a value each. */
export function numbers(...fields: readonly (readonly [16 | 32 | 64, number])[]): Buffer {
  return Buffer.concat(
    fields.map(([bits, value]) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(BigInt(value));
      return bytes.subarray(8 - bits / 8);
    }),
  );
}
