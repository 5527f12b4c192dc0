/** Whether an aggregate is what the records that it stands for make of the volumes. */
import type { BlockOrigin } from "./journal-replay.ts";
import { typeNumber } from "./log-file-reader.ts";
import type { LoggedRecord } from "./log-records.ts";

const changing = new Set([typeNumber.write, typeNumber.trim, typeNumber.zero]);
const foldable = new Set([...changing, typeNumber.flush]);

/**
 * In words, what is wrong; undefined: nothing. `unfolded`: the last of the records that it stands for, or all of them, as
 * `isWhole` says.
 */
export function foldDifference(
  unfolded: readonly LoggedRecord[],
  folded: readonly LoggedRecord[],
  isWhole: boolean,
  bytesOf: (origin: BlockOrigin) => Buffer,
): string | undefined {
  const stranger = unfolded.find(({ type }) => !foldable.has(type));
  if (stranger !== undefined) return `seq ${stranger.seq}, of type ${stranger.type}, is folded`;
  const expected = contentOf(unfolded);
  const found = contentOf(folded);
  if (isWhole && found.size !== expected.size) return `${found.size} blocks instead of ${expected.size}`;
  for (const [block, origin] of expected) {
    const copy = found.get(block);
    if (copy === undefined) return `nothing for block ${block}, which seq ${origin.record.seq} changed`;
    if (!bytesOf(copy).equals(bytesOf(origin))) return `block ${block} is not as seq ${origin.record.seq} left it`;
  }
  const last = unfolded.at(-1);
  const isDated = last === undefined || folded.every(({ timeMicros }) => timeMicros === last.timeMicros);
  return isDated ? undefined : `it has another time than seq ${last?.seq}`;
}

function contentOf(records: readonly LoggedRecord[]): Map<string, BlockOrigin> {
  const content = new Map<string, BlockOrigin>();
  for (const record of records) {
    if (!changing.has(record.type)) continue;
    for (let index = 0; index < record.blockCount; index++) {
      content.set(`${record.startBlock + index} of volume ${record.volume}`, { record, index });
    }
  }
  return content;
}
