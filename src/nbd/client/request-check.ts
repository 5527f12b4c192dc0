/** Whether a request suits the export. What does not is never sent: a server may answer it with hanging up. */
import { fitsInto, isAligned } from "#src/core/byte-range.ts";
import { command, commandFlag, transmissionFlag } from "../constants.ts";
import { NbdRequestError } from "./errors.ts";
import type { OperationSpec } from "./operation.ts";
import { describeRequest } from "./request-name.ts";

export interface ExportLimits {
  readonly sizeBytes: number;
  readonly transmissionFlags: number;
  readonly minimumBytes: number;
  readonly hasContexts: boolean;
}

/** The transmission flag that a command needs, with the words for a server that lacks it. */
const neededByCommand: ReadonlyMap<number, readonly [number, string]> = new Map([
  [command.flush, [transmissionFlag.sendFlush, "flush"]],
  [command.trim, [transmissionFlag.sendTrim, "trim"]],
  [command.cache, [transmissionFlag.sendCache, "cache"]],
  [command.writeZeroes, [transmissionFlag.sendWriteZeroes, "write zeroes"]],
]);

/** The same for the flags of a command, and the commands that each is for. */
const neededByFlag: readonly (readonly [number, number, string, readonly number[]])[] = [
  [commandFlag.fua, transmissionFlag.sendFua, "FUA", [command.write, command.trim, command.writeZeroes]],
  [commandFlag.noHole, transmissionFlag.sendWriteZeroes, "NO_HOLE", [command.writeZeroes]],
  [commandFlag.fastZero, transmissionFlag.sendFastZero, "FAST_ZERO", [command.writeZeroes]],
  [commandFlag.doNotFragment, transmissionFlag.sendDf, "DF", [command.read]],
  [commandFlag.requestOne, 0, "REQ_ONE", [command.blockStatus]],
];

const writingCommands: readonly number[] = [command.write, command.trim, command.writeZeroes];

type Request = Pick<OperationSpec, "type" | "flags" | "offset" | "lengthBytes" | "pieceBytesMax">;

/** Undefined for a request that may be sent. */
export function findFault(limits: ExportLimits, request: Request): NbdRequestError | undefined {
  const why = findCommandFault(limits, request) ?? findFlagFault(limits, request) ?? findRangeFault(limits, request);
  return why === undefined ? undefined : refusal(request, why);
}

/** Undefined where there is no buffer, or it has the bytes that a read or a write is about. */
export function findBufferFault(spec: OperationSpec): NbdRequestError | undefined {
  const { type, buffer, start, lengthBytes } = spec;
  if (type !== command.read && type !== command.write) return undefined;
  if (isCount(start) && fitsInto(buffer.length, start, lengthBytes)) return undefined;
  return refusal(spec, `its buffer has ${buffer.length} bytes`);
}

function refusal(request: Request, why: string): NbdRequestError {
  return new NbdRequestError(`${describeRequest(request.type, request.offset, request.lengthBytes)}: ${why}`);
}

function findCommandFault(limits: ExportLimits, { type }: Request): string | undefined {
  const has = (flag: number): boolean => (limits.transmissionFlags & flag) !== 0;
  if (writingCommands.includes(type) && has(transmissionFlag.readOnly)) return "the export is read-only";
  const needed = neededByCommand.get(type);
  if (needed !== undefined && !has(needed[0])) return `the server cannot ${needed[1]}`;
  if (type === command.blockStatus && !limits.hasContexts) return "no metadata context was agreed upon";
  return undefined;
}

function findFlagFault(limits: ExportLimits, { type, flags }: Request): string | undefined {
  let rest = flags;
  for (const [flag, transmission, name, types] of neededByFlag) {
    if ((flags & flag) === 0) continue;
    rest &= ~flag;
    if (!types.includes(type)) return `the flag ${name} is not for it`;
    if ((limits.transmissionFlags & transmission) !== transmission) return `the server does not know the flag ${name}`;
  }
  return rest === 0 ? undefined : `the flags 0x${rest.toString(16)} are not known`;
}

function findRangeFault(limits: ExportLimits, request: Request): string | undefined {
  const { type, flags, offset, lengthBytes, pieceBytesMax } = request;
  if (type === command.flush) return undefined;
  if (!isCount(offset) || !isCount(lengthBytes)) return "positions and lengths are whole numbers";
  if (lengthBytes === 0) return "it is about no bytes";
  if (!fitsInto(limits.sizeBytes, offset, lengthBytes)) return `the export has ${limits.sizeBytes} bytes`;
  if (!isAligned(offset, limits.minimumBytes) || !isAligned(lengthBytes, limits.minimumBytes)) {
    return `the server takes only whole blocks of ${limits.minimumBytes} bytes`;
  }
  if ((flags & commandFlag.doNotFragment) !== 0 && lengthBytes > pieceBytesMax) {
    return `in one piece the server sends at most ${pieceBytesMax} bytes`;
  }
  return undefined;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
