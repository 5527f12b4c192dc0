import { expect, test } from "vitest";
import { readBootId } from "#src/host/node/boot-id.ts";

test("the machine has not started anew between two looks", () => {
  expect(readBootId()).toMatch(/^[0-9a-f-]{36}$/);
  expect(readBootId()).toBe(readBootId());
});
