/**
 * Blocks that cannot be read, by their fingerprints: what their segment may forget when it is written anew. With the
 * fingerprint another block of the same content can take the place of a lost one, however late it comes.
 */
import { scrubLostMax } from "#src/core/store-limits.ts";
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { segmentOf } from "#src/records/address.ts";
import type { LostBlockNote } from "./scrub-document.ts";

export class LostBlocks {
  /** Hexadecimal, by address. */
  readonly #fingerprints: Map<number, string>;

  constructor(blocks: readonly LostBlockNote[]) {
    this.#fingerprints = new Map(blocks.map(({ address, fingerprint }) => [address, fingerprint]));
  }

  get list(): LostBlockNote[] {
    return [...this.#fingerprints].map(([address, fingerprint]) => ({ address, fingerprint }));
  }

  /** Where there are too many it is not. */
  keepInMind(address: number, fingerprints: Buffer, start: number): void {
    if (this.#fingerprints.size >= scrubLostMax) return;
    this.#fingerprints.set(address, fingerprints.toString("hex", start, start + fingerprintBytes));
  }

  /** Those of the segment for which `isLost` does not hold are read again, or not needed any more. */
  keepOnly(segment: number, isLost: (address: number) => boolean): void {
    for (const address of this.#fingerprints.keys()) {
      if (segmentOf(address) === segment && !isLost(address)) this.#fingerprints.delete(address);
    }
  }

  fingerprintOf(address: number): Buffer | undefined {
    const fingerprint = this.#fingerprints.get(address);
    return fingerprint === undefined ? undefined : Buffer.from(fingerprint, "hex");
  }
}
