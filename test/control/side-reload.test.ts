/** A configuration that is read again while a side does not answer. */
import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { reloadInWords } from "#src/control/live-settings.ts";
import type { SideClient } from "#src/control/side-client.ts";
import { SideReload } from "#src/control/side-reload.ts";
import { RetryError } from "#src/core/errors.ts";

const { config } = loadConfig({ environment: {}, assignments: [], folder: "/" });
const silence = "the remote side has not answered for 30 s (reconfigure)";

function world() {
  const asked: string[] = [];
  const silent = new Set<string>();
  const sides = ["remote", "local"].map((name) => {
    const ask = async () => {
      asked.push(name);
      if (silent.has(name)) throw new RetryError(silence);
      return null;
    };
    return { ask } as unknown as SideClient;
  });
  const reload = new SideReload();
  const told = async (...changed: readonly string[]) =>
    reloadInWords({ ...(await reload.tell(sides, { config, changed })), waiting: [] });
  return { asked, silent, told };
}

test("a side that does not answer keeps no other from taking over what has changed, and is told of", async () => {
  const { asked, silent, told } = world();
  silent.add("remote");
  expect(await told("modes.linkLoss")).toBe(`in force now: modes.linkLoss; ${silence}: the next reload asks again`);
  expect(asked).toEqual(["remote", "local"]);
});

test("what a side has not answered to is told again by the next reloads, until it has", async () => {
  const { silent, told } = world();
  silent.add("remote");
  await told("modes.linkLoss");
  expect(await told("log.level")).toContain("in force now: modes.linkLoss, log.level; ");
  silent.clear();
  expect(await told("modes.linkLoss")).toBe("in force now: modes.linkLoss, log.level");
  expect(await told()).toBe("the configuration has not changed");
});
