/** docs/upgrade.md: each role is replaced by another version while a host writes, and back again. */
import { readFileSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { PointsReport } from "#src/control/volume-history.ts";
import { type RoleName, TwoSites } from "#test/cli/two-sites.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { patience } from "#test/patience.ts";
import { type Edit, otherVersion } from "./other-version.ts";
import { blockBytes, WritingHost } from "./writing-host.ts";

needPrograms("setpriv");

const older = "0.1.0";
const newer = "0.2.0";
const speaks = (oldest: number, newest: number): string => `{ oldest: ${oldest}, newest: ${newest} } as const`;

/** Both beside each other, and the name that the services start by. */
function installed(...edits: readonly Edit[]) {
  const folder = temporaryFolder();
  const places = new Map([
    [older, otherVersion(folder, older)],
    [newer, otherVersion(folder, newer, ...edits)],
  ]);
  const current = join(folder, "current");
  const choose = (version: string): void => {
    symlinkSync(places.get(version) as string, `${current}.new`);
    renameSync(`${current}.new`, current);
  };
  choose(older);
  return { launcher: join(current, "src/cli/launch.js"), choose };
}

async function restart(sites: TwoSites, role: RoleName): Promise<void> {
  await sites.stopRole(role);
  await sites.startRole(role);
}

async function versions(sites: TwoSites): Promise<string[]> {
  const told = (["remote", "local", "interceptor"] as const).map((role) => sites.status(role));
  return (await Promise.all(told)).map(({ version }) => version);
}

async function linked(sites: TwoSites): Promise<void> {
  const isUp = async () => expect((await sites.status("local")).groups[0]?.linkUp).toBe(true);
  await vi.waitFor(isUp, patience);
}

/** Each write is still a point, and the newest one, the source and the host agree. */
async function expectWhole(sites: TwoSites, host: WritingHost): Promise<void> {
  await host.end();
  await sites.calm("disk");
  const points = JSON.parse(await sites.type("# on backup\ntidemark points disk --json")) as PointsReport;
  const ranges = points.ranges.filter(({ kind }) => kind !== "joined");
  expect(ranges.map(({ kind, granularity }) => [kind, granularity])).toEqual([["points", "every-write"]]);
  await sites.type("# on backup\ntidemark restore disk@now --to /srv/now.img");
  const places = [sites.path("site", "srv/disk.img"), sites.path("backup", "srv/now.img")];
  for (const path of places) expect([path, ...firstBytes(path, host.content.length)]).toEqual([path, ...host.content]);
}

function firstBytes(path: string, count: number): number[] {
  const bytes = readFileSync(path);
  return Array.from({ length: count }, (_, block) => bytes[block * blockBytes] as number);
}

test("roles are replaced one by one under a host that writes, and back: only the interceptor hangs up on it", async () => {
  const { launcher, choose } = installed();
  const sites = await TwoSites.start(launcher);
  await sites.open("disk");
  const host = WritingHost.begin(sites.uri("disk"));
  await host.goesOn();
  choose(newer);
  // What a program loads late, and which processes it starts late, is still its own.
  expect(await sites.metrics("remote")).toContain(`tidemark_build_info{version="${older}"`);
  await sites.type("# on backup\ntidemark view open disk@now --name late && tidemark view close late");

  await restart(sites, "remote");
  await host.goesOn();
  await linked(sites);
  expect(await versions(sites)).toEqual([newer, older, older]);
  await restart(sites, "local");
  await host.goesOn();
  await linked(sites);
  expect(await versions(sites)).toEqual([newer, newer, older]);
  expect(host.connections).toBe(1);
  await restart(sites, "interceptor");
  await host.goesOn();
  expect([host.connections, ...(await versions(sites))]).toEqual([2, newer, newer, newer]);

  choose(older);
  for (const role of ["interceptor", "local", "remote"] as const) {
    await restart(sites, role);
    await host.goesOn();
    await linked(sites);
  }
  expect([host.connections, ...(await versions(sites))]).toEqual([3, older, older, older]);
  await expectWhole(sites, host);
});

test("versions that speak no common protocol refuse each other in words, and go on when both are the same", async () => {
  const { launcher, choose } = installed(["src/wire/handshake.ts", speaks(2, 2), speaks(3, 3)]);
  const sites = await TwoSites.start(launcher);
  await sites.open("disk");
  const host = WritingHost.begin(sites.uri("disk"));
  await host.goesOn();
  choose(newer);

  // In async nobody waits for the remote appliance.
  await restart(sites, "remote");
  const refused = async () => {
    const [group] = (await sites.status("local")).groups;
    expect([group?.linkUp, group?.why]).toEqual([false, expect.stringMatching(/refuses this group: .*protocol/)]);
  };
  await vi.waitFor(refused, patience);
  await host.goesOn();

  // Without a local appliance that it can speak with the interceptor waits, and hosts with it.
  await restart(sites, "local");
  await linked(sites);
  const waits = async () => {
    const [volume] = (await sites.status("interceptor")).volumes;
    expect([volume?.state, volume?.why]).toEqual(["stalled", expect.stringMatching(/version 3 of the protocol/)]);
  };
  await vi.waitFor(waits, patience);
  await restart(sites, "interceptor");
  await host.goesOn();
  expect(await versions(sites)).toEqual([newer, newer, newer]);
  await expectWhole(sites, host);
});
