import { expect, test } from "vitest";
import { SeededRandom } from "./seeded-random.ts";
import { SparseBytes } from "./sparse-bytes.ts";

test("sparse bytes are the same as plain ones after any changes", () => {
  const random = new SeededRandom(1);
  const sparse = new SparseBytes();
  let model = Buffer.alloc(0);
  const grow = (sizeBytes: number): void => {
    if (sizeBytes > model.length) model = Buffer.concat([model, Buffer.alloc(sizeBytes - model.length)]);
  };
  for (let round = 0; round < 1500; round++) {
    const position = random.integerBelow(40_000);
    const lengthBytes = random.integerBelow(random.pick([10, 5000, 20_000]));
    switch (random.integerBelow(8)) {
      case 0:
        sparse.truncate(position);
        model = Buffer.from(model.subarray(0, position));
        grow(position);
        break;
      case 1:
      case 2:
        sparse.zero(position, lengthBytes, random.chance(0.5));
        model.fill(0, Math.min(position, model.length), Math.min(position + lengthBytes, model.length));
        break;
      default: {
        const bytes = Buffer.alloc(lengthBytes, 1 + random.integerBelow(255));
        sparse.write(bytes, 0, lengthBytes, position);
        if (lengthBytes > 0) grow(position + lengthBytes);
        bytes.copy(model, position);
      }
    }
    const target = Buffer.alloc(70_000, 7);
    const count = sparse.read(target, 0, 70_000, 0);
    expect([count, target.subarray(0, count).equals(model)]).toEqual([model.length, true]);
  }
});

test("holes take no space, and a copy is one of its own", () => {
  const sparse = new SparseBytes();
  sparse.write(Buffer.from("far"), 0, 3, 10 ** 12);
  expect([sparse.sizeBytes, sparse.spaceBytes]).toEqual([10 ** 12 + 3, 4096]);
  const copy = new SparseBytes(sparse);
  sparse.zero(0, sparse.sizeBytes, false);
  expect([sparse.spaceBytes, copy.spaceBytes, sparse.kindAt(10 ** 12), copy.kindAt(10 ** 12)]).toEqual([
    4096,
    4096,
    "data",
    "data",
  ]);
  const target = Buffer.alloc(3);
  copy.read(target, 0, 3, 10 ** 12);
  expect(target.toString()).toBe("far");
  sparse.read(target, 0, 3, 10 ** 12);
  expect(target.toString()).toBe("\0\0\0");
});
