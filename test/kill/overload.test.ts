/** Real processes that are asked for more than they have: connections, descriptors. */
import { expect, test } from "vitest";
import { nbdConnectionCountMax } from "#src/core/nbd-limits.ts";
import { parseNbdUri } from "#src/nbd/uri.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { descriptorCount, residentBytes } from "#test/oracle/process-facts.ts";
import { roleNames, type Sites } from "#test/oracle/sites.ts";
import { whenSeen } from "#test/patience.ts";
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
    await whenSeen(() => expect(crowd.count).toBeLessThan(nbdConnectionCountMax));
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
  // However long the spool is full meanwhile: nothing goes on unprotected.
  const settings = { modes: { default: "async", overflow: "stall" } };
  const rounds = { ...(await beginRounds({ sizeBytes, mode: "async", under, settings }, 38)), blocksPerWriteMax: 32 };
  const { sites } = rounds;
  const ids = roleNames.map((role) => sites.program(role).processId);
  const places = [placeOf(await sites.open()), apiOf(sites, "local"), apiOf(sites, "remote")];
  const remote = sites.program("remote");
  const isShort = (processId: number) => descriptorCount(processId) >= descriptorsMax - 2;
  const isTold = () => remote.stderr.includes("EMFILE");
  await disturb(rounds, async (host) => {
    const crowd = new Crowd();
    // The remote alone at first: it surely gets what it needs a file for. Whoever says nothing is sent away after a while.
    while (!isTold()) {
      await crowd.come(apiOf(sites, "remote"), 2 * descriptorsMax);
      await whenSeen(() => expect(isTold() || isShort(remote.processId)).toBe(true));
      await whenSeen(() => expect(isTold() || !isShort(remote.processId)).toBe(true));
    }
    await whenSeen(async () => {
      const free = places.filter((_, index) => !isShort(ids[index] as number));
      await Promise.all(free.map((place) => crowd.come(place, 2 * descriptorsMax)));
      expect(ids.every(isShort)).toBe(true);
    });
    // Files of the spool are needed meanwhile, and may have to be waited for.
    await host.answered(20);
    crowd.leave();
    await host.answered(300);
  });
  for (const role of roleNames) expect(sites.program(role).isRunning).toBe(true);
});
