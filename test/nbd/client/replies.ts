/** What servers answer with, chunk by chunk, and what must follow when it is wrong. */
import { expect } from "vitest";
import { NbdProtocolError } from "#src/nbd/client/errors.ts";
import { replyType } from "#src/nbd/constants.ts";
import type { ReplyStyle } from "#src/nbd/reply-codec.ts";
import { type ChunkSpec, numbers, type Opened } from "./scripted-peer.ts";

export const chunked: readonly ReplyStyle[] = ["structured", "extended"];

export function data(offset: number, bytes: Uint8Array, isLast = true): ChunkSpec {
  return { type: replyType.offsetData, payload: Buffer.concat([numbers([64, offset]), bytes]), isLast };
}

export function hole(offset: number, byteLength: number, isLast = true): ChunkSpec {
  return { type: replyType.offsetHole, payload: numbers([64, offset], [32, byteLength]), isLast };
}

export function failure(
  error: number,
  text = "",
  rest: Uint8Array = Buffer.alloc(0),
  type: number = replyType.error,
): ChunkSpec {
  const words = Buffer.from(text);
  return { type, payload: Buffer.concat([numbers([32, error], [16, words.length]), words, rest]) };
}

export const none: ChunkSpec = { type: replyType.none };

/** The server broke the protocol: this request fails, the connection is gone, and all later requests fail alike. */
export async function expectBroken(opened: Opened, request: Promise<unknown>, words: RegExp | string): Promise<void> {
  opened.clock.turn();
  await expect(request).rejects.toThrow(NbdProtocolError);
  await expect(request).rejects.toThrow(words);
  expect(opened.wire.ending).toBe("destroyed");
  const later = opened.client.flush();
  opened.clock.turn();
  const first = await request.catch((error: unknown) => error);
  await expect(later).rejects.toBe(first);
}
