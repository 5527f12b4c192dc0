import { test, vi } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { switchUnderLoad } from "./mode-switches.ts";

needPrograms("setpriv");
// Processes are started and ended in order, several times; on a busy machine that takes a while.
vi.setConfig({ testTimeout: 90_000 });

test("claim A6: fifty switches under load keep the order, lose and double nothing, and each is one record", async () => {
  await switchUnderLoad(50, 61);
});
