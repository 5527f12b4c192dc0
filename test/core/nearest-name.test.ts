import { expect, test } from "vitest";
import { nearestName } from "#src/core/nearest-name.ts";

const known = ["host", "port", "socket", "tokenFile", "token"];

test.each([
  ["hsot", "host"],
  ["Port", "port"],
  ["ports", "port"],
  ["sockt", "socket"],
  ["tokenfile", "tokenFile"],
  ["toke", "token"],
])("'%s' is near '%s'", (written, name) => {
  expect(nearestName(written, known)).toBe(name);
});

test.each(["", "certificate", "xy", "nothing"])("'%s' is near none", (written) => {
  expect(nearestName(written, known)).toBe(undefined);
});
