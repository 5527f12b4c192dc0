/** What the points of a store's story must be, by what landed alone. */
import { blockBytes } from "#src/core/limits.ts";
import { decodeExtra, recordType } from "#src/records/record.ts";
import type { BlockReader } from "#src/store/block-reader.ts";
import { Snapshot } from "#src/synth/snapshot.ts";
import { type PlainRecord, volumeBlocks, volumeCount } from "#test/journals/random-units.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { contentOf as bytesOf } from "#test/store/closed-blocks.ts";
import { differentAddresses } from "./folded-points.ts";

export interface LandedBlock {
  /** The number of what is in it. */
  readonly content: number;
  readonly volume: number;
}

export interface Landed {
  readonly records: readonly PlainRecord[];
  /** By their addresses. */
  readonly blocks: ReadonlyMap<number, LandedBlock>;
  readonly random: SeededRandom;
}

const blocksLooked = 8;

/** What is wrong with points of the order, and with snapshots. */
export async function pointFindings(
  landed: Landed,
  reader: BlockReader,
  seqs: readonly number[],
  snapshots: readonly (Snapshot | Error)[],
  isPoint: (seq: number) => boolean,
): Promise<string[]> {
  const findings: string[] = [];
  const pointSeqs = [...seqs];
  for (const snapshot of snapshots) {
    if (!(snapshot instanceof Snapshot)) throw snapshot;
    const differences = await differentAddresses(snapshot, landed.records);
    findings.push(...differences.map((one) => `snapshot ${snapshot.seq}: ${one}`));
    // Of one that is no point any more blocks may be gone: whatever is made of it has others there.
    if (isPoint(snapshot.seq)) pointSeqs.push(snapshot.seq);
  }
  for (const [address, what] of blocksAt(landed.records, pointSeqs)) {
    const found = await readBlock(landed, reader, address);
    if (found !== "right") findings.push(`${what}, at address ${address}, is ${found}`);
  }
  return findings;
}

/** The blocks that the volumes hold after any of these records, by their addresses. */
function blocksAt(records: readonly PlainRecord[], seqs: readonly number[]): Map<number, string> {
  const state = new Float64Array((volumeCount + 1) * volumeBlocks);
  const found = new Map<number, string>();
  const ends = [...new Set(seqs)].sort((a, b) => a - b);
  for (const [index, record] of records.entries()) {
    applyTo(state, record);
    if (record.seq !== ends[0] || records[index + 1]?.seq === record.seq) continue;
    ends.shift();
    for (const [place, address] of state.entries()) {
      const block = `block ${place % volumeBlocks} of volume ${Math.floor(place / volumeBlocks)}`;
      if (address !== 0) found.set(address, `${block} after record ${record.seq}`);
    }
  }
  return found;
}

export function applyTo(state: Float64Array, record: PlainRecord): void {
  const { type, volume, startBlock, blockCount, address } = record;
  const base = volume * volumeBlocks;
  if (type === recordType.resize) {
    const { sizeBytes } = decodeExtra(record.extra) as { readonly sizeBytes: number };
    state.fill(0, base + Math.min(volumeBlocks, Math.ceil(sizeBytes / blockBytes)), base + volumeBlocks);
  }
  for (let block = 0; block < blockCount; block++) {
    state[base + startBlock + block] = address === 0 ? 0 : address + block;
  }
}

/** Any block that ever landed is what it was, or is not given. */
export async function blockFindings(landed: Landed, reader: BlockReader): Promise<string[]> {
  const addresses = [...landed.blocks.keys()];
  const findings: string[] = [];
  for (let count = 0; count < blocksLooked && addresses.length > 0; count++) {
    const address = landed.random.pick(addresses);
    if ((await readBlock(landed, reader, address)) === "wrong") findings.push(`address ${address} is wrong`);
  }
  return findings;
}

async function readBlock(
  { blocks }: Landed,
  reader: BlockReader,
  address: number,
): Promise<"right" | "wrong" | "lost"> {
  const { content, volume } = blocks.get(address) as LandedBlock;
  const target = Buffer.alloc(blockBytes, 0xee);
  const damaged = await reader.read({ address, blockCount: 1, volume }, target, 0);
  if (damaged.length > 0) return "lost";
  return target.equals(bytesOf(content)) ? "right" : "wrong";
}
