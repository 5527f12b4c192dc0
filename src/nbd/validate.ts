/** Checks a request once, at the edge: whatever passes is taken for granted behind it. Pure. */
import { fitsInto } from "#src/core/byte-range.ts";
import type { Agreement } from "./agreement.ts";
import { isStatusPayloadLength } from "./block-status.ts";
import { command, commandFlag, nbdError } from "./constants.ts";
import type { RequestHeader } from "./request-codec.ts";

const flagsOf: Readonly<Record<number, number>> = {
  [command.read]: commandFlag.doNotFragment,
  [command.write]: 0,
  [command.flush]: 0,
  [command.trim]: 0,
  [command.cache]: 0,
  [command.writeZeroes]: commandFlag.noHole | commandFlag.fastZero,
  [command.blockStatus]: commandFlag.requestOne | commandFlag.payloadLength,
};

/** 0 for a valid request, else the error to answer with. The payload of a refused request is skipped by the caller. */
export function validate(header: Readonly<RequestHeader>, agreement: Agreement): number {
  return checkCommand(header, agreement) || checkFlags(header, agreement) || checkRange(header, agreement);
}

function checkCommand(header: Readonly<RequestHeader>, agreement: Agreement): number {
  const { features } = agreement.target;
  switch (header.type) {
    case command.read:
      return nbdError.ok;
    case command.write:
      return features.readOnly ? nbdError.notPermitted : nbdError.ok;
    case command.flush:
      return features.flush ? nbdError.ok : nbdError.invalid;
    case command.trim:
      return features.readOnly ? nbdError.notPermitted : features.trim ? nbdError.ok : nbdError.invalid;
    case command.writeZeroes:
      return features.readOnly ? nbdError.notPermitted : features.writeZeroes ? nbdError.ok : nbdError.invalid;
    case command.cache:
      return features.cache ? nbdError.ok : nbdError.invalid;
    case command.blockStatus:
      return agreement.contexts.length > 0 ? nbdError.ok : nbdError.invalid;
    default:
      return nbdError.invalid;
  }
}

function checkFlags(header: Readonly<RequestHeader>, agreement: Agreement): number {
  const { features } = agreement.target;
  let allowed = flagsOf[header.type] ?? 0;
  if (features.flush) allowed |= commandFlag.fua;
  if (agreement.style === "simple") allowed &= ~commandFlag.doNotFragment;
  if (!features.fastZero) allowed &= ~commandFlag.fastZero;
  if (agreement.style !== "extended") allowed &= ~commandFlag.payloadLength;
  else if (header.type === command.write) {
    // In the extended form a write without this flag has no payload, so there is nothing to write.
    if ((header.flags & commandFlag.payloadLength) === 0) return nbdError.invalid;
    allowed |= commandFlag.payloadLength;
  }
  return (header.flags & ~allowed) === 0 ? nbdError.ok : nbdError.invalid;
}

function checkRange(header: Readonly<RequestHeader>, agreement: Agreement): number {
  const { sizeBytes, blockSizes } = agreement.target;
  const { type, offset, length } = header;
  if (type === command.flush) return offset === 0 && length === 0 ? nbdError.ok : nbdError.invalid;
  // With a payload the range stands in it, and is checked when that has arrived.
  if (type === command.blockStatus && (header.flags & commandFlag.payloadLength) !== 0) {
    return isStatusPayloadLength(header.payloadBytes) ? nbdError.ok : nbdError.invalid;
  }
  const carriesData = type === command.read || type === command.write;
  if (carriesData && length > blockSizes.payloadBytesMax) {
    // The specification keeps this error for what clients with structured replies know how to try in smaller pieces.
    return type === command.read && agreement.style !== "simple" ? nbdError.overflow : nbdError.invalid;
  }
  if (length === 0) return nbdError.invalid;
  if (!fitsInto(sizeBytes, offset, length)) {
    return type === command.write || type === command.writeZeroes ? nbdError.noSpace : nbdError.invalid;
  }
  const { minimumBytes } = blockSizes;
  if (offset % minimumBytes !== 0 || length % minimumBytes !== 0) return nbdError.invalid;
  return nbdError.ok;
}
