/** What is told of a sealed segment, slot by slot, whole and spoiled. */
import { expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import {
  decodeObjectHeader,
  encodeObjectHeader,
  type ObjectHeader,
  objectHeaderBytes,
  objectKind,
} from "#src/store/object-format.ts";
import { describeSegment, type SegmentDescriptionItem, segmentLine } from "#src/store/segment-description.ts";
import { segmentObjectName } from "#src/store/segment-format.ts";
import { ClosedBlocks, damaged, none, sound } from "./closed-blocks.ts";
import { MemoryObjects } from "./memory-objects.ts";
import { MemoryStore, origin } from "./memory-store.ts";

const nameOf = (segment: number) => segmentObjectName({ segment, generation: 0 });

async function sealed() {
  const objects = new MemoryObjects();
  const store = await MemoryStore.open(objects);
  // The second one has a block of the first, one of its own, zeros, one that was damaged, and a slot with nothing.
  await store.seal(new ClosedBlocks(1, [sound(5), sound(6)]));
  await store.seal(new ClosedBlocks(2, [sound(6, 3), sound(7, 3), sound(0, 4), damaged(8, 4), none]));
  return objects;
}

function told(objects: MemoryObjects, name: string): Promise<SegmentDescriptionItem[]> {
  return Array.fromAsync(describeSegment(objects, name));
}

test("each slot with something in it is told, and where its block is", async () => {
  const objects = await sealed();
  const [segment, ...slots] = await told(objects, nameOf(2));
  const counts = { slots: 5, kept: 1, forwards: 1, zeros: 1, damaged: 1, frames: 1 };
  const identity = { kind: "segment", object: nameOf(2), segment: 2, generation: 0 };
  expect(segment).toEqual({ ...identity, ...origin, ...counts });
  expect(slots).toMatchObject([
    { kind: "slot", slot: 0, state: "forward", volume: 3, target: { segment: 1, slot: 1 } },
    { kind: "slot", slot: 1, state: "kept", volume: 3, frame: { slot: 1, place: 0 } },
    { kind: "slot", slot: 2, state: "zeros", volume: 4 },
    { kind: "slot", slot: 3, state: "damaged", volume: 4 },
  ]);
  const [, first, second] = await told(objects, nameOf(1));
  expect([first, second]).toMatchObject([{ frame: { slot: 0, place: 0 } }, { frame: { slot: 0, place: 1 } }]);
});

test("in lines for people", async () => {
  const objects = await sealed();
  const lines = (await told(objects, nameOf(2))).map(segmentLine);
  expect(lines).toEqual([
    `segment ${nameOf(2)}: 2, generation 0, of group ${origin.group}, 5 slots: 1 kept in 1 frames, 1 forwards, 1 zeros, 1 damaged`,
    expect.stringMatching(/^ {2}slot 0 forward volume 3 checksum [0-9a-f]{16} to slot 1 of segment 1$/),
    expect.stringMatching(
      /^ {2}slot 1 kept volume 3 checksum [0-9a-f]{16} block 0 of the frame at \d+ \(\d+ bytes\) [0-9a-f]{64}$/,
    ),
    expect.stringMatching(/^ {2}slot 2 zeros volume 4 checksum [0-9a-f]{16}$/),
    expect.stringMatching(/^ {2}slot 3 damaged volume 4 checksum [0-9a-f]{16}$/),
  ]);
});

test("fault 18: wherever a bit of it is flipped, what is told is as it was, a flaw, or that it is damaged", async () => {
  const objects = await sealed();
  const whole = await told(objects, nameOf(2));
  const bytes = Buffer.from(objects.contents.get(nameOf(2)) as Buffer);
  const outcomes = { same: 0, flaw: 0, refused: 0 };
  for (let at = 0; at < bytes.length; at++) {
    const spoiled = Buffer.from(bytes);
    (spoiled[at] as number) ^= 1 << (at % 8);
    objects.contents.set(nameOf(2), spoiled);
    const found = await told(objects, nameOf(2)).catch((error: Error) => error);
    if (found instanceof Error) outcomes.refused++;
    else if (found.some(({ kind }) => kind === "flaw")) outcomes.flaw++;
    else {
      expect(found).toEqual(whole);
      outcomes.same++;
    }
    if (Array.isArray(found)) {
      const flaws = found.filter(({ kind }) => kind === "flaw").map(segmentLine);
      for (const flaw of flaws) expect(flaw).toMatch(/^ {2}DAMAGED: [^\n]+$/);
    }
  }
  // Frames are not read for it; slots and fingerprints, header, table and footer are.
  expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(0);
});

test("what is no segment, or is encrypted, is refused in words", async () => {
  const objects = await sealed();
  const bytes = objects.contents.get(nameOf(1)) as Buffer;
  objects.contents.set(nameOf(9), Buffer.alloc(bytes.length));
  await expect(told(objects, nameOf(9))).rejects.toThrow(/^segments/);
  objects.contents.set(nameOf(9), bytes.subarray(0, 7));
  await expect(told(objects, nameOf(9))).rejects.toThrow(/^segments/);
  const header = decodeObjectHeader(bytes.subarray(0, objectHeaderBytes), nameOf(1));
  const refusal = async (change: Partial<ObjectHeader>) => {
    objects.contents.set(
      nameOf(9),
      Buffer.concat([encodeObjectHeader({ ...header, ...change }), bytes.subarray(objectHeaderBytes)]),
    );
    return told(objects, nameOf(9)).catch((error: Error) => error);
  };
  expect(await refusal({ kind: objectKind.piece })).toEqual(new RefuseError(`${nameOf(9)} is no sealed segment`));
  const encrypted = "is encrypted: 'tidemark dump object' tells what can be seen of it";
  expect(await refusal({ isEncrypted: true })).toEqual(new RefuseError(`${nameOf(9)} ${encrypted}`));
});
