/** Sizes as people write them: 4096, 512M, 1.5G. The letters stand for powers of 1024. */

const letters = ["", "K", "M", "G", "T", "P"];

/** Undefined: the text is no size in whole bytes. */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGTP]?)(?:i?B)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const unit = 1024 ** letters.indexOf((match[2] as string).toUpperCase());
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Exact, and read back as the same number. */
export function formatByteSize(bytes: number): string {
  let power = 0;
  while (power < letters.length - 1 && bytes !== 0 && bytes % 1024 ** (power + 1) === 0) power++;
  return `${bytes / 1024 ** power}${letters[power]}`;
}

/** Three digits or so, for people. */
export function roundedByteSize(bytes: number): string {
  let power = 0;
  while (power < letters.length - 1 && bytes >= 1000 * 1024 ** power) power++;
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${letters[power]}${power === 0 ? "B" : "iB"}`;
}
