import { expect, test } from "vitest";
import { foundExport } from "#src/cli/attach/found-export.ts";
import { ControlPlane } from "#src/control/control-plane.ts";
import type { RoleName } from "#src/control/role.ts";
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
  return (name: string) => foundExport({ ask }, name, undefined);
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
