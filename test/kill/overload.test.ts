/** Real processes that are asked for more than they have: connections, descriptors. */
import { expect, test, vi } from "vitest";
import { nbdConnectionCountMax } from "#src/core/nbd-limits.ts";
import { parseNbdUri } from "#src/nbd/uri.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { descriptorCount, residentBytes } from "#test/oracle/process-facts.ts";
import { roleNames, type Sites } from "#test/oracle/sites.ts";
import { patience } from "#test/patience.ts";
import { Crowd, type CrowdAddress } from "./crowd.ts";
import { beginRounds, disturb } from "./rounds.ts";

needPrograms("setpriv", "prlimit");

const sizeBytes = 4 * MiB;
const grownBytesMax = 192 * MiB;

function placeOf(uri: string): CrowdAddress {
  const { address } = parseNbdUri(uri);
  if (address.kind === "unix") return { path: address.path };
  if (address.kind === "tcp") return { host: address.host, port: address.port };
  throw new Error("a host finds a volume at an address");
}

function apiOf(sites: Sites, role: (typeof roleNames)[number]): CrowdAddress {
  const { hostname, port } = new URL(sites.api(role));
  return { host: hostname, port: Number(port) };
}

test("fault 37: of ten thousand connections those too many are hung up on; who is at work goes on, and memory is bounded", async () => {
  const rounds = await beginRounds({ sizeBytes, mode: "sync", settings: { nbd: { port: 0 } } }, 37);
  const { sites } = rounds;
  const { processId } = sites.program("interceptor");
  const place = placeOf(await sites.open());
  await disturb(rounds, async (host) => {
    const beforeBytes = residentBytes(processId, "now");
    const crowd = new Crowd();
    await crowd.come(place, 10_000);
    await host.answered(50);
    await vi.waitFor(() => expect(crowd.count).toBeLessThan(nbdConnectionCountMax), patience);
    expect(crowd.turnedAwayCount).toBeGreaterThan(10_000 - nbdConnectionCountMax);
    expect(residentBytes(processId, "most")).toBeLessThan(beforeBytes + grownBytesMax);
    crowd.leave();
  });
  // There is room for others again.
  await (await sites.connect()).disconnect();
});

test("fault 37: without a free descriptor nothing is lost, and all goes on when there are some again", async () => {
  const descriptorsMax = 100;
  const under = ["prlimit", `--nofile=${descriptorsMax}:${descriptorsMax}`];
  const rounds = { ...(await beginRounds({ sizeBytes, mode: "async", under }, 38)), blocksPerWriteMax: 128 };
  const { sites } = rounds;
  const ids = roleNames.map((role) => sites.program(role).processId);
  const places = [placeOf(await sites.open()), apiOf(sites, "local"), apiOf(sites, "remote")];
  const remote = sites.program("remote");
  const isShort = (processId: number) => descriptorCount(processId) >= descriptorsMax - 2;
  await disturb(rounds, async (host) => {
    const crowd = new Crowd();
    await Promise.all(places.map((place) => crowd.come(place, 4 * descriptorsMax)));
    await vi.waitFor(() => expect(ids.every(isShort)).toBe(true), patience);
    // Files of the spool and of the journals are needed meanwhile, and may have to be waited for.
    const answered = host.answered(300);
    await vi.waitFor(async () => {
      // Who says nothing is sent away after a while, and others come.
      if (!isShort(remote.processId)) await crowd.come(apiOf(sites, "remote"), descriptorsMax);
      expect(remote.stderr).toContain("EMFILE");
    }, patience);
    crowd.leave();
    await answered;
  });
  for (const role of roleNames) expect(sites.program(role).isRunning).toBe(true);
});
