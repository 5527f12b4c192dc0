/**
 * What a client says, byte by byte, right or wrong. Written after the specification and apart from the program's own
 * codecs, so that a fault of theirs cannot hide here.
 */

export type Style = "simple" | "structured" | "extended";

export const styles: readonly Style[] = ["simple", "structured", "extended"];

export const optionCode = {
  exportName: 1,
  abort: 2,
  list: 3,
  startTls: 5,
  info: 6,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
  extendedHeaders: 11,
} as const;

export const type = {
  read: 0,
  write: 1,
  disconnect: 2,
  flush: 3,
  trim: 4,
  cache: 5,
  writeZeroes: 6,
  status: 7,
} as const;

export const flag = { fua: 1, noHole: 2, df: 4, requestOne: 8, fastZero: 16, payload: 32 } as const;

export const compactMagic = 0x25609513;
export const extendedMagic = 0x21e41c71;

export function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function number64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

export function number16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** Both flags that there are, unless told otherwise: fixed newstyle, no zeroes. */
export function clientFlags(flags = 3): Buffer {
  return number32(flags);
}

export function option(code: number, data: Buffer = Buffer.alloc(0), saidBytes = data.length): Buffer {
  return Buffer.concat([Buffer.from("IHAVEOPT"), number32(code), number32(saidBytes), data]);
}

/** The data of INFO and GO. */
export function goData(name: string | Buffer = "", wanted: readonly number[] = []): Buffer {
  const nameBytes = Buffer.from(name);
  return Buffer.concat([number32(nameBytes.length), nameBytes, number16(wanted.length), ...wanted.map(number16)]);
}

export function contextData(name: string, queries: readonly string[]): Buffer {
  const text = (one: string): Buffer => Buffer.concat([number32(Buffer.byteLength(one)), Buffer.from(one)]);
  return Buffer.concat([text(name), number32(queries.length), ...queries.map(text)]);
}

export interface Asked {
  readonly type: number;
  readonly cookie: bigint;
  readonly flags?: number;
  readonly offset?: number | bigint;
  /** The length in the header; for a request with a payload the payload's, unless told otherwise. */
  readonly length?: number | bigint;
  readonly payload?: Buffer;
}

export function request(style: Style, asked: Asked): Buffer {
  const payload = asked.payload ?? Buffer.alloc(0);
  const length = asked.length ?? payload.length;
  const isExtended = style === "extended";
  const carries = isExtended && asked.payload !== undefined ? flag.payload : 0;
  return Buffer.concat([
    number32(isExtended ? extendedMagic : compactMagic),
    number16((asked.flags ?? 0) | carries),
    number16(asked.type),
    number64(asked.cookie),
    number64(asked.offset ?? 0),
    isExtended ? number64(length) : number32(Number(length)),
    payload,
  ]);
}

/** The payload with which a block status asks for some of the contexts only. */
export function statusPayload(length: number | bigint, ids: readonly number[]): Buffer {
  return Buffer.concat([number64(length), ...ids.map(number32)]);
}

/** The options up to the transmission phase, from the client flags on. */
export function opening(style: Style, contexts: readonly string[] = [], exportName = ""): Buffer[] {
  const pieces = [clientFlags()];
  if (style === "structured") pieces.push(option(optionCode.structuredReply));
  if (style === "extended") pieces.push(option(optionCode.extendedHeaders));
  if (contexts.length > 0) pieces.push(option(optionCode.setMetaContext, contextData(exportName, contexts)));
  pieces.push(option(optionCode.go, goData(exportName)));
  return pieces;
}
