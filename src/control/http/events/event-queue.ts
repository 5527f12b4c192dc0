/** Lines that wait to be written, the oldest first. Invariant: at most `eventsKeptBytesMax`; beyond, the oldest are left out. */
import { eventsKeptBytesMax } from "#src/core/http-limits.ts";

export class EventQueue {
  #lines: Buffer[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  add(line: Buffer): void {
    this.#lines.push(line);
    this.#bytes += line.length;
    this.#leaveOut();
  }

  /** What was taken before, and is to be written once more. */
  putBack(lines: readonly Buffer[]): void {
    this.#lines = [...lines, ...this.#lines];
    this.#bytes += lines.reduce((sum, { length }) => sum + length, 0);
    this.#leaveOut();
  }

  /** As many as fit. */
  take(lengthBytes: number): readonly Buffer[] {
    let takenBytes = 0;
    let count = 0;
    for (const { length } of this.#lines) {
      if (takenBytes + length > lengthBytes) break;
      takenBytes += length;
      count++;
    }
    this.#bytes -= takenBytes;
    return this.#lines.splice(0, count);
  }

  #leaveOut(): void {
    while (this.#bytes > eventsKeptBytesMax) this.#bytes -= this.#lines.shift()?.length ?? 0;
  }
}
