import { describe, expect, test } from "vitest";
import { type ConfigSources, loadConfig } from "#src/control/config.ts";
import { configSchema, entriesOf } from "#src/control/config-schema.ts";
import { unusedSettings } from "#src/control/config-use.ts";
import { type RoleName, roleNames } from "#src/control/role.ts";

function unused(roles: readonly RoleName[], sources: Partial<ConfigSources>): string[] {
  return unusedSettings(loadConfig({ environment: {}, assignments: [], folder: "/", ...sources }), roles);
}

describe("with all roles in one process", () => {
  test.each([
    "wire.port=1",
    "wire.host=::1",
    "wire.tls.caFile=a",
    "remote.address=a:1",
    "remote.compress=off",
    "local.socket=a",
  ])("--set %s is refused", (assignment) => {
    expect(() => unused(roleNames, { assignments: [assignment] })).toThrow(
      /\(from --set\) has no effect where all roles run in one process: take it away, or start interceptor, local and/,
    );
  });

  test("the environment is meant for this program too", () => {
    expect(() => unused(roleNames, { environment: { TIDEMARK_WIRE_PORT: "1" } })).toThrow("has no effect");
  });

  test("a file is told of, unless it says that the data goes elsewhere", () => {
    const file = (text: string) => ({ file: { name: "a.yaml", text } });
    expect(unused(roleNames, file("wire.port: 1\nnbd.port: 1\n"))).toEqual([
      "wire.port (from a.yaml, line 1) has no effect where all roles run in one process",
    ]);
    expect(() => unused(roleNames, file("remote.address: a:1\n"))).toThrow("remote.address (from a.yaml, line 1)");
  });

  test.each([
    "nbd.port=1",
    "modes.default=sync",
    "local.spool.limit=1G",
    "remote.bandwidth=1M",
    "wire.tokenFile=a",
    "data=/a",
  ])("--set %s has its effect", (assignment) => {
    expect(unused(roleNames, { assignments: [assignment] })).toEqual([]);
  });
});

describe("with one role", () => {
  test.each<[RoleName, string]>([
    ["interceptor", "wire.port=1"],
    ["interceptor", "local.spool.limit=1G"],
    ["local", "nbd.port=1"],
    ["local", "wire.port=1"],
    ["remote", "nbd.port=1"],
    ["remote", "remote.address=a:1"],
    ["remote", "modes.default=sync"],
  ])("%s: --set %s is refused", (role, assignment) => {
    expect(() => unused([role], { assignments: [assignment] })).toThrow(`has no effect in the role ${role}`);
  });

  test("a file may be one for all roles", () => {
    const text = "wire.port: 1\nnbd.port: 1\nremote.address: a:1\n";
    for (const role of roleNames) expect(unused([role], { file: { name: "a.yaml", text } })).toEqual([]);
  });

  test("each setting has its effect in some role", () => {
    // Secrets are not taken from the command line, and each has a file beside it.
    for (const { key, setting } of entriesOf(configSchema).filter((entry) => !entry.setting.secret)) {
      const assignments = [`${key}=${setting.print(setting.fallback)}`];
      const isUsed = (role: RoleName): boolean => {
        try {
          return unused([role], { assignments }).length === 0;
        } catch {
          return false;
        }
      };
      expect([key, roleNames.some(isUsed)]).toEqual([key, true]);
    }
  });
});
