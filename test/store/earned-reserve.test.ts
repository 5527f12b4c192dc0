import { expect, test } from "vitest";
import { EarnedReserve } from "#src/store/earned-reserve.ts";
import type { SpaceReserve } from "#src/store/space-reserve.ts";

test("room is held back once the store is large, and what is missing of it is told", async () => {
  let storeBytes = 0;
  let heldBytes = 0;
  let byteLength = 100;
  const inner: SpaceReserve = {
    folder: "/store",
    get heldBytes() {
      return heldBytes;
    },
    give: (byteLength) => {
      heldBytes -= byteLength;
      return true;
    },
    refill: async () => {
      heldBytes = byteLength;
    },
  };
  const reserve = new EarnedReserve(
    inner,
    () => byteLength,
    () => storeBytes,
  );
  storeBytes = 799;
  await reserve.refill();
  expect([reserve.heldBytes, reserve.lackingBytes]).toEqual([0, 0]);
  storeBytes = 800;
  expect(reserve.lackingBytes).toBe(100);
  await reserve.refill();
  expect([reserve.heldBytes, reserve.lackingBytes]).toEqual([100, 0]);
  expect([reserve.give(30), reserve.heldBytes, reserve.lackingBytes]).toEqual([true, 70, 30]);
  byteLength = 110;
  expect(reserve.lackingBytes).toBe(0);
  storeBytes = 880;
  expect(reserve.lackingBytes).toBe(40);
});
