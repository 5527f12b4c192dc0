/**
 * What can go wrong between this client and a server, by what the caller may do about it: connect anew, give up what
 * was asked for, or hand on what the server said about one request.
 */
import { ReconnectError, RefuseError } from "#src/core/errors.ts";
import { nbdError, optionError } from "../constants.ts";

/** The connection failed, was cut, or stood still for too long. */
export class NbdConnectionError extends ReconnectError {
  override name = "NbdConnectionError";
}

/** The server broke the protocol, so nothing it says after that can be believed. */
export class NbdProtocolError extends ReconnectError {
  override name = "NbdProtocolError";
}

/** The request does not suit this export; it was not sent. */
export class NbdRequestError extends RefuseError {
  override name = "NbdRequestError";
}

/** The server refused an option of the handshake. */
export class NbdOptionError extends RefuseError {
  override name = "NbdOptionError";
  readonly replyType: number;
  readonly replyName: string;

  constructor(what: string, replyType: number, text: string) {
    const replyName = optionErrorNames.get(replyType) ?? `error 0x${replyType.toString(16)}`;
    super(`the server refused ${what}: ${text === "" ? replyName : `${replyName}, "${text}"`}`);
    this.replyType = replyType;
    this.replyName = replyName;
  }
}

/** The server could not do one request; the connection goes on. */
export class NbdServerError extends Error {
  override name = "NbdServerError";
  readonly errorNumber: number;
  /** The number's name in the protocol. Numbers it does not know count as EINVAL. */
  readonly code: string;
  /** Where in the export it happened, if the server said so. */
  readonly position: number | undefined;

  constructor(what: string, errorNumber: number, text: string, position?: number) {
    const code = errorCodes.get(errorNumber);
    const known = code ?? `EINVAL (sent as ${errorNumber})`;
    const place = position === undefined ? "" : ` at ${position}`;
    super(`${what}: the server answered ${known}${place}${text === "" ? "" : `, "${text}"`}`);
    this.errorNumber = code === undefined ? nbdError.invalid : errorNumber;
    this.code = code ?? "EINVAL";
    this.position = position;
  }
}

const errorCodes: ReadonlyMap<number, string> = new Map([
  [nbdError.notPermitted, "EPERM"],
  [nbdError.io, "EIO"],
  [nbdError.noMemory, "ENOMEM"],
  [nbdError.invalid, "EINVAL"],
  [nbdError.noSpace, "ENOSPC"],
  [nbdError.overflow, "EOVERFLOW"],
  [nbdError.notSupported, "ENOTSUP"],
  [nbdError.shutdown, "ESHUTDOWN"],
]);

const optionErrorNames: ReadonlyMap<number, string> = new Map([
  [optionError.unsupported, "not supported"],
  [optionError.policy, "forbidden by policy"],
  [optionError.invalid, "invalid"],
  [optionError.platform, "not possible on its platform"],
  [optionError.tlsRequired, "TLS required"],
  [optionError.unknown, "no such export"],
  [optionError.shutdown, "shutting down"],
  [optionError.blockSizeRequired, "block sizes must be asked for"],
  [optionError.tooBig, "too big"],
  [optionError.extendedHeadersRequired, "extended headers required"],
]);

/** A server's words, fit to be shown: one line, no control characters. */
export function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString("utf8")
    .replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, " ")
    .trim();
}
