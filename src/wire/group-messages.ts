/** What local and remote appliance say to each other (docs/protocol.md): texts where it is rare, numbers where it is not. */
import { RefuseError } from "#src/core/errors.ts";
import type { GroupHello, GroupWelcome, Watermarks } from "./group-link.ts";
import { encodeJson, JsonFields } from "./json-fields.ts";
import { decodeTriple, encodeNumbers } from "./numbers.ts";

const groupBytes = 16;
const chanceBytesMax = 32;
const nameCharactersMax = 255;

export function readHello(fields: JsonFields): GroupHello {
  return {
    group: fields.hexadecimal("group", groupBytes),
    groupName: fields.text("groupName", nameCharactersMax),
    writer: fields.text("writer", chanceBytesMax * 2),
    life: fields.count("life"),
    bootId: fields.text("bootId", nameCharactersMax),
    epoch: fields.count("epoch"),
    firstSeq: fields.count("firstSeq"),
    lastSeq: fields.count("lastSeq"),
  };
}

/** Said in its hello by who gives back what the remote has lost; an older one is not asked. */
export const recallOffer = { recall: "blocks" } as const;

export function offersRecall(fields: JsonFields): boolean {
  return fields.optionalText("recall", nameCharactersMax) === recallOffer.recall;
}

/** The one way in which batches may be compressed. */
const zstd = "zstd";

export function encodeWelcome(welcome: GroupWelcome): Buffer {
  const { epoch, bootId, received, durable, stored } = welcome;
  return encodeJson({ epoch, bootId, received, durable, stored, compression: zstd });
}

/** Whether whoever sends this welcome takes compressed batches; an older one does not. */
export function takesCompressed(body: Buffer): boolean {
  return JsonFields.parse(body, "welcome").optionalText("compression", nameCharactersMax) === zstd;
}

export function decodeWelcome(body: Buffer): GroupWelcome {
  const fields = JsonFields.parse(body, "welcome");
  return {
    epoch: fields.count("epoch"),
    bootId: fields.text("bootId", nameCharactersMax),
    ...checkedMarks(fields.count("received"), fields.count("durable"), fields.count("stored")),
  };
}

export function encodeWatermarks(marks: Watermarks): Buffer {
  return encodeNumbers(marks.received, marks.durable, marks.stored);
}

export function decodeWatermarks(bytes: Buffer, start: number, end: number): Watermarks {
  return checkedMarks(...decodeTriple(bytes, start, end));
}

/** What is stored is durable, and what is durable was received. */
function checkedMarks(received: number, durable: number, stored: number): Watermarks {
  if (stored > durable || durable > received) {
    throw new RefuseError(`the remote's watermarks contradict each other: ${received}, ${durable}, ${stored}`);
  }
  return { received, durable, stored };
}
