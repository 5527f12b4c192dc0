/**
 * The numbers of the NBD protocol, after its public specification and the extended headers extension.
 * Magic numbers of 64 bits are kept as two halves, so that no hot path needs a bigint.
 */

export const magic = {
  nbdHigh: 0x4e42444d, // "NBDMAGIC"
  nbdLow: 0x41474943,
  optionHigh: 0x49484156, // "IHAVEOPT"
  optionLow: 0x454f5054,
  optionReplyHigh: 0x0003e889,
  optionReplyLow: 0x045565a9,
  request: 0x25609513,
  simpleReply: 0x67446698,
  structuredReply: 0x668e33ef,
  extendedRequest: 0x21e41c71,
  extendedReply: 0x6e8a278c,
} as const;

export const handshakeFlag = { fixedNewstyle: 1 << 0, noZeroes: 1 << 1 } as const;

export const transmissionFlag = {
  hasFlags: 1 << 0,
  readOnly: 1 << 1,
  sendFlush: 1 << 2,
  sendFua: 1 << 3,
  rotational: 1 << 4,
  sendTrim: 1 << 5,
  sendWriteZeroes: 1 << 6,
  sendDf: 1 << 7,
  canMultiConn: 1 << 8,
  sendResize: 1 << 9,
  sendCache: 1 << 10,
  sendFastZero: 1 << 11,
  blockStatusPayload: 1 << 12,
} as const;

export const option = {
  exportName: 1,
  abort: 2,
  list: 3,
  peekExport: 4,
  startTls: 5,
  info: 6,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
  extendedHeaders: 11,
} as const;

export const optionReply = { ack: 1, server: 2, info: 3, metaContext: 4 } as const;

/** Error replies have the top bit set; the numbers are unsigned. */
export const optionError = {
  unsupported: 0x80000001,
  policy: 0x80000002,
  invalid: 0x80000003,
  platform: 0x80000004,
  tlsRequired: 0x80000005,
  unknown: 0x80000006,
  shutdown: 0x80000007,
  blockSizeRequired: 0x80000008,
  tooBig: 0x80000009,
  extendedHeadersRequired: 0x8000000a,
} as const;

export const info = { export: 0, name: 1, description: 2, blockSize: 3 } as const;

export const command = {
  read: 0,
  write: 1,
  disconnect: 2,
  flush: 3,
  trim: 4,
  cache: 5,
  writeZeroes: 6,
  blockStatus: 7,
  resize: 8,
} as const;

export const commandFlag = {
  fua: 1 << 0,
  noHole: 1 << 1,
  doNotFragment: 1 << 2,
  requestOne: 1 << 3,
  fastZero: 1 << 4,
  payloadLength: 1 << 5,
} as const;

export const replyFlag = { done: 1 << 0 } as const;

export const replyType = {
  none: 0,
  offsetData: 1,
  offsetHole: 2,
  blockStatus: 5,
  blockStatusExtended: 6,
  error: (1 << 15) + 1,
  errorOffset: (1 << 15) + 2,
} as const;

/** The errors that may stand in a reply. */
export const nbdError = {
  ok: 0,
  notPermitted: 1,
  io: 5,
  noMemory: 12,
  invalid: 22,
  noSpace: 28,
  overflow: 75,
  notSupported: 95,
  shutdown: 108,
} as const;

export const baseAllocation = "base:allocation";

/** Contexts of this kind tell what has changed since something that their name stands for. */
export const dirtyBitmap = "qemu:dirty-bitmap:";

/** In the status of such a context. */
export const dirtyFlag = 1;
export const allocationFlag = { hole: 1 << 0, zero: 1 << 1 } as const;

export const requestHeaderBytes = 28;
export const extendedRequestHeaderBytes = 32;
export const simpleReplyHeaderBytes = 16;
export const structuredReplyHeaderBytes = 20;
export const extendedReplyHeaderBytes = 32;
/** The offset in front of the data of an offset-data chunk. */
export const offsetDataPrefixBytes = 8;
export const optionHeaderBytes = 16;
export const optionReplyHeaderBytes = 20;
/** Reserved zeros after the answer to EXPORT_NAME, unless the client asked to leave them out. */
export const exportNamePaddingBytes = 124;
export const defaultPort = 10809;
