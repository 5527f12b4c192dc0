import { test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { switchUnderLoad } from "./mode-switches.ts";

needPrograms("setpriv");

test("claim A6: fifty switches under load keep the order, lose and double nothing, and each is one record", async () => {
  await switchUnderLoad(50, 61);
});
