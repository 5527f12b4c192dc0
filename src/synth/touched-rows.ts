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
  const sorted = sortedByStart(touches.startBlocks, places);
  if (sorted === undefined) return ExtentRows.of(longWay(touches, places, volume).extents(), volume);
  const overlapping = takeOutOverlapping(touches, sorted);
  if (overlapping.length === 0) return ExtentRows.gathered(sorted, touches);
  const rows = new ExtentRows(sorted.count + overlapping.length);
  const others = longWay(touches, overlapping.sort(), volume).extents();
  let other = others.next();
  for (let index = 0; index < sorted.count; index++) {
    const [startBlock, place] = [sorted.starts[index] as number, sorted.places[index] as number];
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

/** Records in the order of their first blocks. The same memory is used again for the next who asks. */
interface SortedTouches {
  readonly starts: Uint32Array;
  readonly places: Uint32Array;
  count: number;
}

/** Digit by digit, from the lowest on, so that equal ones stay as they are. Undefined: the numbers are too large for that. */
function sortedByStart(startBlocks: Float64Array, places: Uint32Array): SortedTouches | undefined {
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
  return { starts: keys, places: order, count };
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

/**
 * What is left are records that overlap none, or only others that wrote the very same blocks, and of these the last. Answers where the
 * others lie.
 */
function takeOutOverlapping({ blockCounts }: FlatTouches, sorted: SortedTouches): Uint32Array {
  const { starts, places, count } = sorted;
  const overlapping: number[] = [];
  // What is left is written over what was read already.
  let leftCount = 0;
  for (let first = 0; first < count; ) {
    const start = starts[first] as number;
    const blockCount = blockCounts[places[first] as number] as number;
    let end = start + blockCount;
    let areSame = true;
    let next = first + 1;
    for (; next < count; next++) {
      const otherStart = starts[next] as number;
      if (otherStart >= end) break;
      const otherCount = blockCounts[places[next] as number] as number;
      if (otherStart !== start || otherCount !== blockCount) areSame = false;
      if (otherStart + otherCount > end) end = otherStart + otherCount;
    }
    if (areSame) {
      places[leftCount] = places[next - 1] as number;
      starts[leftCount++] = start;
    } else for (let index = first; index < next; index++) overlapping.push(places[index] as number);
    first = next;
  }
  sorted.count = leftCount;
  return Uint32Array.from(overlapping);
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
