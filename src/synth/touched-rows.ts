/**
 * Which of a volume's records was the last to decide on each block, of many records that lie in flat memory: mostly none of them
 * overlaps another, or only one that wrote the very same blocks, and then nothing is made for any of them. The few others go the long
 * way (`BlockTouches`).
 */
import { BlockTouches } from "#src/journals/block-touches.ts";
import { ExtentRows } from "./extent-rows.ts";

/** By place, in the order of the records. */
export interface FlatTouches {
  readonly startBlocks: Float64Array;
  readonly blockCounts: Float64Array;
  readonly addresses: Float64Array;
  readonly seqs: Float64Array;
}

/** Of those at these places, which are sorted; all are of the volume. */
export function touchedRows(touches: FlatTouches, places: Uint32Array, volume: number): ExtentRows {
  const order = orderByStart(touches.startBlocks, places);
  if (order === undefined) return ExtentRows.of(longWay(touches, places, volume).extents(), volume);
  const { single, overlapping } = told(touches, order);
  const rows = new ExtentRows(single.length + overlapping.length);
  const others = longWay(touches, overlapping.sort(), volume).extents();
  let other = others.next();
  for (const place of single) {
    const startBlock = touches.startBlocks[place] as number;
    for (; other.done !== true && other.value.startBlock < startBlock; other = others.next())
      addExtent(rows, other.value);
    const endBlock = startBlock + (touches.blockCounts[place] as number);
    rows.add(startBlock, endBlock, touches.addresses[place] as number, touches.seqs[place] as number);
  }
  for (; other.done !== true; other = others.next()) addExtent(rows, other.value);
  rows.trim();
  return rows;
}

interface NextExtent {
  readonly startBlock: number;
  readonly blockCount: number;
  readonly address: number;
  readonly seq: number;
}

function addExtent(rows: ExtentRows, { startBlock, blockCount, address, seq }: NextExtent): void {
  rows.add(startBlock, startBlock + blockCount, address, seq);
}

/**
 * Digit by digit, from the lowest on, so that equal ones stay as they are. The answer is used again for the next one who asks.
 * Undefined: the numbers are too large to be sorted like this.
 */
function orderByStart(startBlocks: Float64Array, places: Uint32Array): Uint32Array | undefined {
  const count = places.length;
  if (scratch.keys.length < count) scratch = new Scratch(count);
  let [keys, order, otherKeys, otherOrder] = [scratch.keys, scratch.order, scratch.otherKeys, scratch.otherOrder];
  let most = 0;
  for (let index = 0; index < count; index++) {
    const place = places[index] as number;
    const start = startBlocks[place] as number;
    if (start > most) most = start;
    keys[index] = start;
    order[index] = place;
  }
  if (most > keyMax) return undefined;
  for (let shift = 0; shift < keyBits && most >= 2 ** shift; shift += digitBits) {
    const { counts } = scratch;
    counts.fill(0);
    for (let index = 0; index < count; index++) (counts[digitOf(keys[index] as number, shift) + 1] as number)++;
    for (let digit = 0; digit < digitSize; digit++) (counts[digit + 1] as number) += counts[digit] as number;
    for (let index = 0; index < count; index++) {
      const key = keys[index] as number;
      const at = (counts[digitOf(key, shift)] as number)++;
      otherKeys[at] = key;
      otherOrder[at] = order[index] as number;
    }
    [keys, order, otherKeys, otherOrder] = [otherKeys, otherOrder, keys, order];
  }
  return order.subarray(0, count);
}

const keyBits = 32;
const keyMax = 2 ** keyBits - 1;
const digitBits = 11;
const digitSize = 2 ** digitBits;

function digitOf(key: number, shift: number): number {
  return (key >>> shift) & (digitSize - 1);
}

/** Memory that is touched for the first time costs more than what is done in it. */
class Scratch {
  readonly keys: Uint32Array;
  readonly order: Uint32Array;
  readonly otherKeys: Uint32Array;
  readonly otherOrder: Uint32Array;
  readonly counts = new Uint32Array(digitSize + 1);

  constructor(count: number) {
    this.keys = new Uint32Array(count);
    this.order = new Uint32Array(count);
    this.otherKeys = new Uint32Array(count);
    this.otherOrder = new Uint32Array(count);
  }
}

let scratch = new Scratch(0);

interface Told {
  /** The last of each row of records that wrote the very same blocks, in the order of the blocks. */
  readonly single: Uint32Array;
  readonly overlapping: Uint32Array;
}

function told({ startBlocks, blockCounts }: FlatTouches, order: Uint32Array): Told {
  const count = order.length;
  // It is written over what was read already.
  const single = order;
  const overlapping: number[] = [];
  let singleCount = 0;
  for (let first = 0; first < count; ) {
    const start = startBlocks[order[first] as number] as number;
    const blockCount = blockCounts[order[first] as number] as number;
    let end = start + blockCount;
    let areSame = true;
    let next = first + 1;
    for (; next < count; next++) {
      const place = order[next] as number;
      const otherStart = startBlocks[place] as number;
      if (otherStart >= end) break;
      const otherCount = blockCounts[place] as number;
      if (otherStart !== start || otherCount !== blockCount) areSame = false;
      if (otherStart + otherCount > end) end = otherStart + otherCount;
    }
    if (areSame) single[singleCount++] = order[next - 1] as number;
    else for (let index = first; index < next; index++) overlapping.push(order[index] as number);
    first = next;
  }
  return { single: single.subarray(0, singleCount), overlapping: Uint32Array.from(overlapping) };
}

function longWay(
  { startBlocks, blockCounts, addresses, seqs }: FlatTouches,
  places: Uint32Array,
  volume: number,
): BlockTouches {
  const touches = new BlockTouches();
  for (const place of places) {
    touches.add({
      volume,
      startBlock: startBlocks[place] as number,
      blockCount: blockCounts[place] as number,
      address: addresses[place] as number,
      seq: seqs[place] as number,
      level: 0,
    });
  }
  return touches;
}
