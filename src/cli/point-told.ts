/** Which point was found for words that may stand for another one the next time: time goes on, and a mark's name may be taken again. */

interface FoundPoint {
  readonly seq: number;
  readonly volume: string;
  readonly time?: string;
  /** What else is to be said of it. */
  readonly note?: string;
}

export function tellPoint({ seq, volume, time, note }: FoundPoint): void {
  const when = time === undefined ? "" : ` (${time})`;
  process.stderr.write(`seq:${seq} of ${volume}${when}${note === undefined ? "" : `: ${note}`}\n`);
}
