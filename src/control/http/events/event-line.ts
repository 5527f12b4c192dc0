/**
 * The bytes of the file of events: a head, then lines, written round and round. Each line names the id of the event before it, so
 * whoever reads knows where one is missing: it was written over or torn, or never got there.
 *
 *     head, a blank line │ line │ line │ … the newest │ rest of an old one │ the oldest │ … │ a blank line
 */
import { assert } from "#src/core/assert.ts";
import { RefuseError, StopError } from "#src/core/errors.ts";
import { eventHeadBytes, eventLineBytesMax } from "#src/core/http-limits.ts";
import { readSummedLine, summedLine } from "../summed-line.ts";
import type { ApiEvent } from "./event.ts";

export interface KeptEvent {
  readonly event: ApiEvent;
  /** The id of the event before it, whether that is kept or not. */
  readonly before: number;
  /** Of the machine's start in which it was written. */
  readonly boot: string;
}

export interface EventPlace {
  readonly kept: KeptEvent;
  /** The position behind its line. */
  readonly end: number;
}

const eventFormat = { format: "tidemark-events", version: 1 } as const;
const lineEnd = "\n";

/** One line of spaces. */
export function blankLine(lengthBytes: number): Buffer {
  const line = Buffer.alloc(lengthBytes, " ");
  line.write(lineEnd, Math.max(0, lengthBytes - 1));
  return line;
}

export function eventHead(): Buffer {
  const line = summedLine(eventFormat);
  assert(line.length < eventHeadBytes, "the head has room for its line");
  return Buffer.concat([line, blankLine(eventHeadBytes - line.length)]);
}

/** Throws a `StopError` where it is damaged, a `RefuseError` where it has another version. `path`: for people. */
export function checkEventHead(bytes: Buffer, path: string): void {
  const [line = ""] = bytes.subarray(0, eventHeadBytes).toString("utf8").split("\n", 1);
  const head = readSummedLine(line);
  if (head?.format !== eventFormat.format) throw new StopError(`${path} is damaged: it does not say what it is`);
  if (head.version !== eventFormat.version) {
    throw new RefuseError(`${path} has version ${head.version}, and this program reads version ${eventFormat.version}`);
  }
}

/** Undefined: it is longer than a line may be. */
export function eventLine({ event, before, boot }: KeptEvent): Buffer | undefined {
  const { id, ...rest } = event;
  const line = summedLine({ id, before, boot, ...rest });
  return line.length > eventLineBytesMax ? undefined : line;
}

/** All that are whole, the newest last. One that was written again, behind a sync that had failed, may lie there twice. */
export function eventsIn(bytes: Buffer): EventPlace[] {
  const found: EventPlace[] = [];
  let from = eventHeadBytes;
  for (let at = bytes.indexOf(lineEnd, from); at >= 0; at = bytes.indexOf(lineEnd, from)) {
    const kept = at - from < eventLineBytesMax ? keptOf(bytes.toString("utf8", from, at)) : undefined;
    if (kept !== undefined) found.push({ kept, end: at + lineEnd.length });
    from = at + lineEnd.length;
  }
  const sorted = found.sort((one, other) => one.kept.event.id - other.kept.event.id);
  return sorted.filter(({ kept }, index) => kept.event.id !== sorted[index - 1]?.kept.event.id);
}

function keptOf(line: string): KeptEvent | undefined {
  // A loss of power may leave zeros where the lines before it were to be.
  const value = readSummedLine(line.slice(line.lastIndexOf("\0") + 1));
  if (value === undefined) return undefined;
  const { before, boot, ...event } = value;
  const { id, time, kind, facts } = event;
  const isEvent =
    Number.isSafeInteger(id) &&
    typeof time === "string" &&
    typeof kind === "string" &&
    typeof facts === "object" &&
    facts !== null;
  const isKept = isEvent && Number.isSafeInteger(before) && typeof boot === "string";
  return isKept ? ({ event, before, boot } as unknown as KeptEvent) : undefined;
}
