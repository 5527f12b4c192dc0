/** Compares what a server said with what the model expects of it. */

import type { Expected, ModelReply } from "./model.ts";
import {
  greetingBytes,
  optionReplyHeaderBytes,
  parseGreeting,
  parseOptionReply,
  parseReply,
  type Reply,
} from "./server-bytes.ts";

/**
 * Throws where the output is wrong; answers how many replies are still to come, counting a half as one. Replies to
 * requests may come in any order, those to options may not.
 */
export function outstanding(output: Buffer, expected: Expected): number {
  if (output.length < greetingBytes) return 1;
  parseGreeting(output);
  let at = greetingBytes;
  for (const [index, wanted] of expected.optionReplies.entries()) {
    const reply = parseOptionReply(output, at);
    if (reply === undefined) return expected.optionReplies.length - index + expected.replies.length;
    if (`${reply.option}:${reply.type}` !== wanted)
      throw new Error(`option reply ${reply.option}:${reply.type}, not ${wanted}`);
    at += optionReplyHeaderBytes + reply.data.length;
  }
  if (output.length < at + expected.rawBytes) return 1 + expected.replies.length;
  at += expected.rawBytes;
  return outstandingReplies(output, at, expected);
}

function outstandingReplies(output: Buffer, start: number, expected: Expected): number {
  const waiting = new Map<bigint, ModelReply[]>();
  for (const reply of expected.replies) {
    const others = waiting.get(reply.cookie);
    if (others === undefined) waiting.set(reply.cookie, [reply]);
    else others.push(reply);
  }
  if (isAmbiguous(waiting, expected)) return 0;
  let count = expected.replies.length;
  for (let at = start; at < output.length; count--) {
    const reply = parseReply(expected.style, output, at, (cookie) => waiting.get(cookie)?.[0]?.readBytes ?? 0);
    if (reply === undefined) return Math.max(count, 1);
    settle(reply, waiting);
    at += reply.byteLength;
  }
  return count;
}

/** A simple reply does not say how long it is: with one cookie for two reads nobody can tell. */
function isAmbiguous(waiting: ReadonlyMap<bigint, readonly ModelReply[]>, expected: Expected): boolean {
  if (expected.style === "extended") return false;
  return [...waiting.values()].some((replies) => new Set(replies.map((reply) => reply.readBytes)).size > 1);
}

function settle(reply: Reply, waiting: Map<bigint, ModelReply[]>): void {
  const candidates = waiting.get(reply.cookie) ?? [];
  const index = candidates.findIndex((candidate) => isRight(reply, candidate));
  if (index < 0)
    throw new Error(
      `nothing expected a reply to ${reply.cookie} with error ${reply.error} and ${reply.data?.length} bytes ` +
        `(${candidates.length} with this cookie)`,
    );
  candidates.splice(index, 1);
}

function isRight(reply: Reply, wanted: ModelReply): boolean {
  if (wanted.errors.size > 0) return wanted.errors.has(reply.error) && reply.data === undefined;
  if (reply.error !== 0 || !(reply.data ?? empty).equals(wanted.data ?? empty)) return false;
  const status = wanted.status ?? new Map();
  if (status.size !== reply.status.size) return false;
  return [...status].every(
    ([id, runs]) =>
      JSON.stringify(runs.map((run: { lengthBytes: number; status: number }) => [run.lengthBytes, run.status])) ===
      JSON.stringify(reply.status.get(id)?.map((run) => [run.lengthBytes, run.flags])),
  );
}

const empty = Buffer.alloc(0);
