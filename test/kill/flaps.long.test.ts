/** A link that comes and goes, between real processes with many groups: each has a connection of its own. */
import { join } from "node:path";
import { expect, test } from "vitest";
import type { StatusReport } from "#src/control/control-plane.ts";
import { RunningProgram } from "#test/cli/running-program.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { shareOf } from "#test/long-share.ts";
import { LinkProxy } from "#test/oracle/link-proxy.ts";
import { descriptorCount, residentBytes } from "#test/oracle/process-facts.ts";
import { whenSeen } from "#test/patience.ts";

needPrograms("setpriv");

const groupCount = 50;
const cutCount = shareOf(20);
/** Until their memory is what it will be. */
const cutCountBefore = 3;
const grownBytesMax = 96 * 1024 * 1024;

const isWhole = ({ groups }: StatusReport): boolean =>
  groups.length === groupCount && groups.every(({ linkUp, lagRecords }) => linkUp && lagRecords === 0);

test("fault 27: after a thousand flaps there are no more descriptors, and no more memory", async () => {
  const folder = temporaryFolder();
  const wire = join(folder, "wire.sock");
  const link = join(folder, "link.sock");
  const proxy = await LinkProxy.between({ path: link }, { path: wire });
  const common = ["--set", `wire.tokenFile=${join(folder, "remote/wire.token")}`];
  const remote = await RunningProgram.start("remote", join(folder, "remote"), "--set", `wire.socket=${wire}`);
  const local = await RunningProgram.start("local", join(folder, "site"), "--set", `remote.address=${link}`, ...common);
  const hosts = await RunningProgram.start("interceptor", join(folder, "site"), ...common);
  for (let index = 0; index < groupCount; index++) {
    const source = join(folder, `${index}.img`);
    const body = JSON.stringify({ name: `v${index}`, source, sizeBytes: 1024 * 1024 });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${hosts.api}/api/v1/volumes`, { method: "POST", body, headers });
    expect(answer.status).toBe(201);
  }
  const whole = () => whenSeen(async () => expect(isWhole(await local.status())).toBe(true));
  const flap = async (): Promise<void> => {
    const { connections } = proxy;
    proxy.cut();
    await whenSeen(() => expect(proxy.connections).toBeGreaterThanOrEqual(connections + groupCount));
    await whole();
  };
  await whole();
  for (let count = 0; count < cutCountBefore; count++) await flap();
  const ids = [local, remote].map(({ program }) => program.processId);
  const before = ids.map((id) => ({ descriptors: descriptorCount(id), bytes: residentBytes(id, "now") }));
  for (let count = 0; count < cutCount; count++) await flap();
  for (const [index, id] of ids.entries()) {
    const { descriptors, bytes } = before[index] as (typeof before)[number];
    // Of a connection that was cut the other end may still have to hear.
    await whenSeen(() => expect(descriptorCount(id)).toBeLessThanOrEqual(descriptors));
    expect(residentBytes(id, "now")).toBeLessThan(bytes + grownBytesMax);
  }
  expect(proxy.standing).toBe(groupCount);
});
