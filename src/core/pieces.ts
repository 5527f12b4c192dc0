/** Bytes that lie in several pieces, one behind the other. */

export function byteLengthOf(pieces: readonly Buffer[]): number {
  let sum = 0;
  for (const piece of pieces) sum += piece.length;
  return sum;
}

/** What is left of them when so many bytes at the front are done with. */
export function withoutFirst(pieces: readonly Buffer[], byteLength: number): Buffer[] {
  const rest: Buffer[] = [];
  let skip = byteLength;
  for (const piece of pieces) {
    if (skip < piece.length) rest.push(skip === 0 ? piece : piece.subarray(skip));
    skip = Math.max(0, skip - piece.length);
  }
  return rest;
}
