import { expect, test } from "vitest";
import { EarnedReserve } from "#src/store/earned-reserve.ts";
import type { SpaceReserve } from "#src/store/space-reserve.ts";

test("room is held back once the store is large, and what is missing of it is told", async () => {
  let storeBytes = 0;
  let heldBytes = 0;
  const inner: SpaceReserve = {
    get heldBytes() {
      return heldBytes;
    },
    give: (byteLength) => {
      heldBytes -= byteLength;
      return true;
    },
    refill: async () => {
      heldBytes = 100;
    },
  };
  const reserve = new EarnedReserve(inner, 100, () => storeBytes);
  storeBytes = 799;
  await reserve.refill();
  expect([reserve.heldBytes, reserve.lackingBytes]).toEqual([0, 0]);
  storeBytes = 800;
  expect(reserve.lackingBytes).toBe(100);
  await reserve.refill();
  expect([reserve.heldBytes, reserve.lackingBytes]).toEqual([100, 0]);
  expect([reserve.give(30), reserve.heldBytes, reserve.lackingBytes]).toEqual([true, 70, 30]);
});
