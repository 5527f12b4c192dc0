import { test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { shareOf } from "#test/long-share.ts";
import { switchUnderLoad } from "./mode-switches.ts";

needPrograms("setpriv");

test("claim A6: a thousand switches under load keep the order, lose and double nothing, and each is one record", async () => {
  await switchUnderLoad(shareOf(1000), 62);
});
