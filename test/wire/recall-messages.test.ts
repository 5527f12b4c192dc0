import { describe, expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import { recallBlocksMax } from "#src/core/recall-limits.ts";
import { decodeRecall, decodeRecalled, encodeRecall, encodeRecalled } from "#src/wire/recall-messages.ts";

const wanted = Array.from({ length: recallBlocksMax }, (_, index) => ({
  ...{ seq: 2 ** 53 - 1 - index, volume: index + 1, block: 1000 * index },
}));
const block = (number: number) => Buffer.alloc(blockBytes, `block ${number}. `);

test("a question has these bytes, for ever, and is read as it was asked", () => {
  const body = encodeRecall([{ seq: 258, volume: 3, block: 65_536 }]);
  expect(body.toString("hex")).toBe("020100000000000003000000000000000000010000000000");
  const longest = Buffer.concat([Buffer.alloc(5, 0xee), encodeRecall(wanted), Buffer.alloc(5, 0xee)]);
  expect(decodeRecall(longest, 5, longest.length - 5)).toEqual(wanted);
});

test("an answer has these bytes, for ever, and says of each block whether it is there", () => {
  const blocks = [undefined, block(1), undefined, block(3)];
  const body = encodeRecalled(blocks);
  expect(body.subarray(0, 8).toString("hex")).toBe("0a00000000000000");
  expect(body.subarray(8).equals(Buffer.concat([block(1), block(3)]))).toBe(true);
  expect(decodeRecalled(body, 0, body.length, 4)).toEqual(blocks);
  const all = wanted.map((_, index) => block(index));
  const longest = encodeRecalled(all);
  expect(decodeRecalled(longest, 0, longest.length, recallBlocksMax)).toEqual(all);
  expect(decodeRecalled(encodeRecalled([]), 0, 8, 3)).toEqual([undefined, undefined, undefined]);
});

test("what was answered outlives what it came in", () => {
  const body = encodeRecalled([block(1)]);
  const [found] = decodeRecalled(body, 0, body.length, 1);
  body.fill(0);
  expect(found).toEqual(block(1));
});

describe("what is refused", () => {
  test.each([
    ["nothing", 0],
    ["half a block's", 12],
    ["more numbers than whole ones", 32],
    ["more than may be asked for", 24 * (recallBlocksMax + 1)],
  ])("a question of %s", (_, byteLength) => {
    expect(() => decodeRecall(Buffer.alloc(byteLength), 0, byteLength)).toThrow(RefuseError);
  });

  test.each([
    ["without its first number", Buffer.alloc(7)],
    ["for a block that was not asked for", encodeRecalled([undefined, undefined, block(1)])],
    ["that lacks the end of a block", encodeRecalled([block(1)]).subarray(0, -1)],
    ["with more behind its blocks", Buffer.concat([encodeRecalled([block(1)]), Buffer.alloc(1)])],
    ["with a number beyond all", Buffer.alloc(8, 0xff)],
  ])("an answer %s", (_, body) => {
    expect(() => decodeRecalled(body, 0, body.length, 2)).toThrow(RefuseError);
  });
});
