/**
 * What a right server answers to a stream of bytes, decided on the whole stream at once and in the plainest way: no
 * segments, no memory, no waiting. Where the specification leaves a choice, every right answer is accepted.
 */
import {
  nbdMetaQueryCountMax,
  nbdNameBytesMax,
  nbdOptionBytesMax,
  nbdOptionCountMax,
  nbdOptionSkipBytesMax,
  nbdPayloadBytesMax,
  nbdSkipBytesMax,
} from "#src/core/nbd-limits.ts";
import type { StatusExtent } from "#src/nbd/export.ts";
import { checkedBytes, checkedContexts, failureAt, runsAt } from "./checking-export.ts";
import { compactMagic, extendedMagic, flag, optionCode, type Style, type } from "./client-bytes.ts";

const error = { permission: 1, invalid: 22, noSpace: 28, overflow: 75 };
const reply = { ack: 1, server: 2, info: 3, context: 4 };
const refusal = {
  unsupported: 0x80000001,
  policy: 0x80000002,
  invalid: 0x80000003,
  unknown: 0x80000006,
  tooBig: 0x80000009,
  extendedRequired: 0x8000000a,
};

export interface ModelReply {
  readonly cookie: bigint;
  /** One of these; none: success. */
  readonly errors: ReadonlySet<number>;
  readonly readBytes: number;
  readonly data?: Buffer;
  readonly status?: ReadonlyMap<number, readonly StatusExtent[]>;
}

export interface Expected {
  /** "option:type" of each reply to an option. */
  readonly optionReplies: string[];
  style: Style;
  /** Bytes of an answer to EXPORT_NAME. */
  rawBytes: number;
  readonly replies: ModelReply[];
  /** The server closes the connection. */
  closes: boolean;
  readonly disk: Buffer;
}

interface Negotiated {
  style: Style;
  noZeroes: boolean;
  contexts: { readonly name: string; readonly ids: readonly number[] } | undefined;
}

const exportNames = ["", "disk", "locked"];

/** `disks` are the exports' bytes, changed as the stream demands. */
export function expectedOf(stream: Buffer, disks: { readonly disk: Buffer; readonly locked: Buffer }): Expected {
  const expected: Expected = {
    optionReplies: [],
    style: "simple",
    rawBytes: 0,
    replies: [],
    closes: false,
    disk: disks.disk,
  };
  if (stream.length < 4) return expected;
  const flags = stream.readUInt32BE(0);
  if (flags > 3) return { ...expected, closes: true };
  const settled: Negotiated = { style: "simple", noZeroes: (flags & 2) !== 0, contexts: undefined };
  let at = 4;
  for (let count = 1; stream.length - at >= 16; count++) {
    const code = stream.readUInt32BE(at + 8);
    const length = stream.readUInt32BE(at + 12);
    const isOption = stream.toString("latin1", at, at + 8) === "IHAVEOPT";
    const lengthMax = code === optionCode.exportName ? nbdOptionBytesMax : nbdOptionSkipBytesMax;
    if (!isOption || count > nbdOptionCountMax || length > lengthMax) return { ...expected, closes: true };
    if (stream.length - at - 16 < length) return expected;
    const next = answerOption(code, stream.subarray(at + 16, at + 16 + length), settled, expected);
    at += 16 + length;
    if (next === "close") return { ...expected, closes: true };
    if (next === "haggle") continue;
    const contexts =
      settled.contexts !== undefined && same(settled.contexts.name, next.name) ? settled.contexts.ids : [];
    const readOnly = next.name === "locked";
    expected.style = settled.style;
    const disk = readOnly ? disks.locked : disks.disk;
    expected.closes = transmit(
      stream.subarray(at),
      { style: settled.style, contexts, readOnly, disk },
      expected.replies,
    );
    return expected;
  }
  return expected;
}

function same(nameA: string, nameB: string): boolean {
  return (nameA === "locked") === (nameB === "locked");
}

type Next = "haggle" | "close" | { readonly name: string };

function answerOption(code: number, data: Buffer, settled: Negotiated, expected: Expected): Next {
  const say = (...types: number[]): "haggle" => {
    expected.optionReplies.push(...types.map((one) => `${code}:${one}`));
    return "haggle";
  };
  if (data.length > nbdOptionBytesMax) return say(refusal.tooBig);
  const isEmpty = data.length === 0;
  switch (code) {
    case optionCode.exportName: {
      const name = data.toString("utf8");
      if (!exportNames.includes(name) || settled.style === "extended") return "close";
      expected.rawBytes = settled.noZeroes ? 10 : 134;
      return { name };
    }
    case optionCode.abort:
      say(reply.ack);
      return "close";
    case optionCode.list:
      return isEmpty ? say(reply.server, reply.server, reply.ack) : say(refusal.invalid);
    case optionCode.startTls:
      return say(isEmpty ? refusal.policy : refusal.invalid);
    case optionCode.structuredReply:
      if (!isEmpty) return say(refusal.invalid);
      if (settled.style === "extended") return say(refusal.extendedRequired);
      settled.style = "structured";
      return say(reply.ack);
    case optionCode.extendedHeaders:
      if (!isEmpty) return say(refusal.invalid);
      settled.style = "extended";
      return say(reply.ack);
    case optionCode.info:
    case optionCode.go:
      return answerGo(code, data, say);
    case optionCode.listMetaContext:
    case optionCode.setMetaContext:
      return answerContexts(code === optionCode.setMetaContext, data, settled, say);
    default:
      return say(refusal.unsupported);
  }
}

function answerGo(code: number, data: Buffer, say: (...types: number[]) => "haggle"): Next {
  const named = nameIn(data, 0);
  if (named === undefined || data.length < named.end + 2) return say(refusal.invalid);
  const count = data.readUInt16BE(named.end);
  if (data.length !== named.end + 2 + 2 * count) return say(refusal.invalid);
  if (!exportNames.includes(named.text)) return say(refusal.unknown);
  const wanted = new Set(Array.from({ length: count }, (_, index) => data.readUInt16BE(named.end + 2 + 2 * index)));
  const infos = [0, 3, ...[1, 2].filter((one) => wanted.has(one))].map(() => reply.info);
  say(...infos, reply.ack);
  return code === optionCode.go ? { name: named.text } : "haggle";
}

function answerContexts(sets: boolean, data: Buffer, settled: Negotiated, say: (...types: number[]) => "haggle"): Next {
  if (sets) settled.contexts = undefined;
  const named = nameIn(data, 0);
  if (named === undefined || data.length < named.end + 4) return say(refusal.invalid);
  const count = data.readUInt32BE(named.end);
  if (count > nbdMetaQueryCountMax) return say(refusal.tooBig);
  const queries: string[] = [];
  let at = named.end + 4;
  for (let index = 0; index < count; index++) {
    const query = nameIn(data, at);
    if (query === undefined) return say(refusal.invalid);
    queries.push(query.text);
    at = query.end;
  }
  if (at !== data.length || settled.style === "simple") return say(refusal.invalid);
  if (!exportNames.includes(named.text)) return say(refusal.unknown);
  const ids = checkedContexts.flatMap((name, index) => (isAskedFor(name, queries, sets) ? [index + 1] : []));
  if (sets) settled.contexts = { name: named.text, ids };
  return say(...ids.map(() => reply.context), reply.ack);
}

function isAskedFor(name: string, queries: readonly string[], sets: boolean): boolean {
  if (queries.includes(name)) return true;
  return !sets && (queries.length === 0 || queries.includes(name.slice(0, name.indexOf(":") + 1)));
}

function nameIn(data: Buffer, at: number): { readonly text: string; readonly end: number } | undefined {
  if (data.length < at + 4) return undefined;
  const length = data.readUInt32BE(at);
  if (length > nbdNameBytesMax || at + 4 + length > data.length) return undefined;
  return { text: data.toString("utf8", at + 4, at + 4 + length), end: at + 4 + length };
}

interface Terms {
  readonly style: Style;
  readonly contexts: readonly number[];
  readonly readOnly: boolean;
  readonly disk: Buffer;
}

interface Request {
  readonly flags: number;
  readonly type: number;
  readonly cookie: bigint;
  readonly offset: bigint;
  readonly length: bigint;
  readonly payload: Buffer;
}

/** True: the server hangs up at the end. */
function transmit(stream: Buffer, terms: Terms, replies: ModelReply[]): boolean {
  const isExtended = terms.style === "extended";
  const headerBytes = isExtended ? 32 : 28;
  let at = 0;
  while (stream.length - at >= headerBytes) {
    if (stream.readUInt32BE(at) !== (isExtended ? extendedMagic : compactMagic)) return true;
    const flags = stream.readUInt16BE(at + 4);
    const kind = stream.readUInt16BE(at + 6);
    if (kind === type.disconnect) return true;
    const length = isExtended ? stream.readBigUInt64BE(at + 24) : BigInt(stream.readUInt32BE(at + 24));
    const carries = isExtended ? (flags & flag.payload) !== 0 : kind === type.write;
    const payloadBytes = carries ? length : 0n;
    const head = { flags, type: kind, cookie: stream.readBigUInt64BE(at + 8), offset: stream.readBigUInt64BE(at + 16) };
    if (payloadBytes > nbdSkipBytesMax) return true;
    if (BigInt(stream.length - at - headerBytes) < payloadBytes) return false;
    const payload = stream.subarray(at + headerBytes, at + headerBytes + Number(payloadBytes));
    replies.push(answer({ ...head, length, payload }, carries, terms));
    at += headerBytes + payload.length;
  }
  return false;
}

function answer(request: Request, carries: boolean, terms: Terms): ModelReply {
  const { cookie } = request;
  const readBytes = request.type === type.read ? Number(request.length) : 0;
  const errors = errorsOf(request, carries, terms);
  if (errors.size > 0) return { cookie, errors, readBytes };
  const offset = Number(request.offset);
  if (request.type !== type.flush && failureAt(offset) !== 0)
    return { cookie, errors: new Set([failureAt(offset)]), readBytes };
  const end = offset + Number(request.length);
  const success = { cookie, errors, readBytes };
  switch (request.type) {
    case type.read:
      return { ...success, data: Buffer.from(terms.disk.subarray(offset, end)) };
    case type.write:
      request.payload.copy(terms.disk, offset);
      return success;
    case type.trim:
    case type.writeZeroes:
      terms.disk.fill(0, offset, end);
      return success;
    case type.status:
      return { ...success, status: statusOf(request, carries, terms) };
    default:
      return success;
  }
}

function statusOf(request: Request, carries: boolean, terms: Terms): ReadonlyMap<number, readonly StatusExtent[]> {
  const length = carries ? request.payload.readBigUInt64BE(0) : request.length;
  const ids = carries ? idsIn(request.payload) : terms.contexts;
  const requestOne = (request.flags & flag.requestOne) !== 0;
  const runs = (id: number): StatusExtent[] =>
    runsAt(Number(request.offset), Number(length), requestOne, checkedContexts[id - 1] as string);
  return new Map(ids.map((id) => [id, runs(id)]));
}

function idsIn(payload: Buffer): number[] {
  return Array.from({ length: (payload.length - 8) / 4 }, (_, index) => payload.readUInt32BE(8 + 4 * index));
}

/** All that is wrong with a request, by the errors that the specification gives. */
function errorsOf(request: Request, carries: boolean, terms: Terms): ReadonlySet<number> {
  const { type: kind, offset, length } = request;
  const errors = new Set<number>();
  const wrong = (condition: boolean, ...codes: number[]): void => {
    if (condition) for (const code of codes) errors.add(code);
  };
  const writes = kind === type.write || kind === type.trim || kind === type.writeZeroes;
  wrong(kind > type.status, error.invalid);
  wrong(writes && terms.readOnly, error.permission);
  wrong((request.flags & ~allowedFlags(kind, terms.style)) !== 0, error.invalid);
  if (kind === type.flush) {
    wrong(offset !== 0n || length !== 0n, error.invalid);
    return errors;
  }
  if (kind === type.write && terms.style === "extended") wrong(!carries, error.invalid);
  wrong((kind === type.read || kind === type.write) && length > nbdPayloadBytesMax, error.overflow, error.invalid);
  if (kind === type.status) wrong(terms.contexts.length === 0, error.invalid);
  if (kind === type.status && carries) {
    wrong(!isStatusPayload(request, terms.contexts), error.invalid);
    return errors;
  }
  wrong(length === 0n, error.invalid);
  const isOutside = offset + length > BigInt(checkedBytes);
  wrong(isOutside, kind === type.write || kind === type.writeZeroes ? error.noSpace : error.invalid);
  return errors;
}

function isStatusPayload({ payload, offset }: Request, contexts: readonly number[]): boolean {
  if (payload.length < 12 || payload.length % 4 !== 0) return false;
  const length = payload.readBigUInt64BE(0);
  const ids = idsIn(payload);
  const isKnown = ids.every((id) => contexts.includes(id)) && new Set(ids).size === ids.length;
  return isKnown && length > 0n && offset + length <= BigInt(checkedBytes);
}

function allowedFlags(kind: number, style: Style): number {
  const isExtended = style === "extended";
  switch (kind) {
    case type.read:
      return flag.fua | (style === "simple" ? 0 : flag.df);
    case type.write:
      return flag.fua | (isExtended ? flag.payload : 0);
    case type.writeZeroes:
      return flag.fua | flag.noHole | flag.fastZero;
    case type.status:
      return flag.fua | flag.requestOne | (isExtended ? flag.payload : 0);
    default:
      return flag.fua;
  }
}
