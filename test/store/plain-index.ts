/** An index that remembers all and never fails: for what is not about indexes. */
import { fingerprintBytes } from "#src/host/fingerprint.ts";
import { holeAddress } from "#src/records/address.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import type { KeptFingerprints, SegmentName } from "#src/store/segment-fingerprints.ts";

type UsedIndex = Pick<FingerprintIndex, "lookup" | "add" | "missing">;

export class PlainIndex implements UsedIndex {
  readonly addresses = new Map<string, number>();

  /** As whoever needs one of its other parts would see it fail. */
  get asIndex(): FingerprintIndex {
    return this as UsedIndex as FingerprintIndex;
  }

  lookup(fingerprints: Buffer, count: number, addresses: Float64Array): void {
    for (let index = 0; index < count; index++) {
      addresses[index] = this.addresses.get(keyAt(fingerprints, index)) ?? holeAddress;
    }
  }

  async add(_name: SegmentName, { count, fingerprints, addresses }: KeptFingerprints): Promise<void> {
    for (let index = 0; index < count; index++) {
      this.addresses.set(keyAt(fingerprints, index), addresses[index] as number);
    }
  }

  async missing(): Promise<SegmentName[]> {
    return [];
  }
}

function keyAt(fingerprints: Buffer, index: number): string {
  return fingerprints.toString("hex", index * fingerprintBytes, (index + 1) * fingerprintBytes);
}
