/** What is done to the file of an index while nobody has it open, and what was in it. */
import fs from "node:fs";
import { numbers } from "./index-blocks.ts";

export interface Damage {
  readonly kind: "bit" | "zeros" | "chance" | "end" | "other page" | "this bit";
  /** A place in the file, as a part of all of it; of a certain bit its number. */
  readonly at: number;
}

export const damagedSegment = { segment: 5, generation: 0 };
export const newSegment = { segment: 6, generation: 0 };
/** Blocks that are in it, and those that are added when it is damaged. */
export const indexContents = {
  large: { damagedBlocks: numbers(0, 20_000), newBlocks: numbers(50_000, 1000) },
  small: { damagedBlocks: numbers(0, 12), newBlocks: numbers(50, 4) },
} as const;
export type IndexSize = keyof typeof indexContents;

const pageBytes = 4096;

export function damage(path: string, { kind, at }: Damage): void {
  const bytes = fs.readFileSync(path);
  const place = Math.floor(bytes.length * at);
  const page = place - (place % pageBytes);
  switch (kind) {
    case "this bit":
      bytes[at >> 3] = (bytes[at >> 3] as number) ^ (1 << (at & 7));
      break;
    case "bit":
      bytes[place] = (bytes[place] as number) ^ (1 << (place % 8));
      break;
    case "zeros":
      bytes.fill(0, page, page + pageBytes);
      break;
    case "chance":
      for (let byte = page; byte < page + pageBytes; byte++) bytes[byte] = Math.imul(byte, 0x9e3779b1) >>> 24;
      break;
    case "other page":
      bytes.copyWithin(
        page,
        Math.floor(page / pageBytes / 2) * pageBytes,
        Math.floor(page / pageBytes / 2) * pageBytes + pageBytes,
      );
      break;
    case "end":
      return fs.writeFileSync(path, bytes.subarray(0, place));
  }
  fs.writeFileSync(path, bytes);
}
