/** The records of the program that appends: a number and noise that follows from it. No multiple of them is a sector. */
import { noise } from "#test/clients/image.ts";

export type Habit = "careful" | "no file sync" | "no folder sync";

export const recordBytes = 700;

export function putRecord(bytes: Buffer, at: number, number: number): void {
  bytes.writeUInt32LE(number, at);
  noise(recordBytes - 4, number).copy(bytes, at + 4);
}

/** The number of the record that lies there; undefined: none, or not wholly. */
export function readRecord(bytes: Buffer, at: number): number | undefined {
  if (at + recordBytes > bytes.length) return undefined;
  const number = bytes.readUInt32LE(at);
  return noise(recordBytes - 4, number).equals(bytes.subarray(at + 4, at + recordBytes)) ? number : undefined;
}
