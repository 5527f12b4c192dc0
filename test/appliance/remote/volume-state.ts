/** What the blocks of a group's volumes hold, as the tests' records or a remote's journals say. */
import { expect } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { recordType } from "#src/records/record.ts";
import { blockOf } from "#test/journals/wire-batch.ts";
import type { FoundRecord, RemoteWorld } from "./remote-world.ts";

/** For each block of a volume that was ever touched: which content, and which block of it; or that it is zeros. */
export type VolumeState = Map<string, string>;

export interface StateChange {
  readonly type: number;
  readonly volume: number;
  readonly startBlock: number;
  readonly blockCount: number;
}

/** `contentOf`: of a write, what is in its n-th block. */
export function applyTo(state: VolumeState, change: StateChange, contentOf: (index: number) => string): void {
  const { type, volume, startBlock, blockCount } = change;
  const isChange = type === recordType.write || type === recordType.trim || type === recordType.zero;
  if (!isChange) return;
  for (let index = 0; index < blockCount; index++) {
    state.set(`${volume}/${startBlock + index}`, type === recordType.write ? contentOf(index) : "zeros");
  }
}

/** What the journals make of the volumes, every block checked. */
export function journalState(world: RemoteWorld, lastSeq: number, group?: string): VolumeState {
  return stateOf(world.content(lastSeq, group));
}

export function stateOf(found: readonly FoundRecord[]): VolumeState {
  const state: VolumeState = new Map();
  for (const { record, payload } of found) {
    applyTo(state, record, (index) => contentIn(payload.subarray(index * blockBytes, (index + 1) * blockBytes)));
  }
  return state;
}

function contentIn(block: Buffer): string {
  const [content, index] = [block.readUInt32LE(0), block.readUInt32LE(4)];
  expect(block.equals(blockOf(content, index)), `a block of content ${content}`).toBe(true);
  return `${content}.${index}`;
}
