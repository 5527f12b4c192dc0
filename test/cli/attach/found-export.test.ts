import { expect, test } from "vitest";
import { foundExport } from "#src/cli/attach/found-export.ts";
import { ControlPlane } from "#src/control/control-plane.ts";
import type { RoleName, VolumeFacts } from "#src/control/role.ts";
import { attachOpenMs } from "#src/core/attach-limits.ts";
import { countersOver, shareCounters } from "#src/host/node/counters.ts";
import { driven } from "#test/contract/driver.ts";
import { apiDriver } from "#test/control/http/api-driver.ts";
import { ScriptedSide, viewFacts } from "#test/control/http/scripted-side.ts";
import { ServedApi } from "#test/control/http/served-api.ts";

/** With one view. */
function asked(roles: readonly RoleName[]) {
  const side = new ScriptedSide();
  side.views = [viewFacts];
  const isOfAll = roles.includes("interceptor");
  const control = isOfAll
    ? side.control
    : new ControlPlane({
        ...{ version: "1.2.3", roles, sides: [side.remote], keeper: undefined, nbdWithTls: false },
        clock: side.host.clock,
        counters: countersOver(shareCounters([], [])),
      });
  const { handle } = new ServedApi(control, side.simulation.host("paper"));
  const driver = apiDriver(side.simulation.clock);
  const ask = async (method: string, steps: readonly string[]): Promise<unknown> => {
    const headers = { host: "localhost" };
    const target = `/api/v1/${steps.join("/")}`;
    const { status, body } = await driven(driver, handle({ method, target, headers, body: Buffer.alloc(0) }));
    if (status !== 200) throw new Error(body);
    return JSON.parse(body);
  };
  const found = (name: string) => driven(driver, foundExport({ ask }, name, undefined, side.host.clock));
  return Object.assign(found, { side });
}

test("a view is found where a remote appliance runs alone, and of what is not there it is said who may have it", async () => {
  const found = asked(["remote"]);
  expect(await found(viewFacts.name)).toEqual({ uri: viewFacts.uri, isReadOnly: false });
  await expect(found("v")).rejects.toThrow("no view 'v'; volumes are the interceptor's, which does not run here");
});

test("a view is found beside an interceptor, too", async () => {
  const found = asked(["interceptor", "local", "remote"]);
  expect(await found(viewFacts.name)).toEqual({ uri: viewFacts.uri, isReadOnly: false });
  await expect(found("v")).rejects.toThrow("'tidemark volume ls' lists volumes");
});

test("a volume that is being opened is waited for, as behind a start; of one that does not open it is said why", async () => {
  const found = asked(["interceptor", "local", "remote"]);
  const { keeper, volumes, host, simulation } = found.side;
  await driven(apiDriver(simulation.clock), keeper.add({ name: "v", source: "/s", group: "g" }));
  const open = volumes.get("v") as VolumeFacts;
  const opening = { ...open, state: "opening", why: "the local appliance is not there" } as const;
  volumes.set("v", opening);
  host.clock.timer(attachOpenMs / 2, () => volumes.set("v", open));
  expect(await found("v")).toMatchObject({ uri: "nbd+unix:///v?socket=/n" });
  expect(host.clock.monotonicMs()).toBeGreaterThanOrEqual(attachOpenMs / 2);
  volumes.set("v", opening);
  await expect(found("v")).rejects.toThrow(
    "volume v is still being opened: the local appliance is not there; attach it when",
  );
  volumes.set("v", { ...open, state: "failed", why: "/s: there is no such file" });
  await expect(found("v")).rejects.toThrow("volume v could not be opened: /s: there is no such file");
});
