/** Requests named for people. */
import { command } from "../constants.ts";

const commandNames: ReadonlyMap<number, string> = new Map([
  [command.read, "read"],
  [command.write, "write"],
  [command.flush, "flush"],
  [command.trim, "trim"],
  [command.cache, "cache"],
  [command.writeZeroes, "write of zeroes"],
  [command.blockStatus, "block status"],
]);

export function describeRequest(type: number, offset: number, lengthBytes: number): string {
  const name = commandNames.get(type) ?? `command ${type}`;
  return type === command.flush ? name : `${name} of ${lengthBytes} bytes at ${offset}`;
}

export function describeSlot(request: {
  readonly type: number;
  readonly offset: number;
  readonly lengthBytes: number;
}): string {
  return describeRequest(request.type, request.offset, request.lengthBytes);
}
