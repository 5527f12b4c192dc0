/** A bad network between the local and the remote appliance, as real processes. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { KiB, MiB } from "#test/clients/image.ts";
import { LinkProxy } from "#test/oracle/link-proxy.ts";
import { Sites } from "#test/oracle/sites.ts";
import { whenSeen } from "#test/patience.ts";
import { disturb, type Rounds, roundsOf, temporaryPlaces } from "./rounds.ts";

needPrograms("setpriv");

async function begin(mode: "sync" | "async", seed: number): Promise<Rounds & { readonly proxy: LinkProxy }> {
  const places = await temporaryPlaces();
  const path = join(places.folder, "network.sock");
  const proxy = await LinkProxy.between({ path }, { path: join(places.folder, "wire.sock") });
  const sites = await Sites.make({ places, mode, sizeBytes: 4 * MiB, remoteAddress: path });
  return { ...roundsOf(sites, seed), proxy };
}

/** Both ends have given the connection up and made another one. */
async function reconnected(proxy: LinkProxy, connections: number): Promise<void> {
  await whenSeen(() => expect(proxy.connections).toBeGreaterThan(connections));
}

test.each(["async", "sync"] as const)(
  "faults 22 and 25: in %s cuts, a flipped bit and a slow link cost nothing but time",
  async (mode) => {
    const rounds = await begin(mode, 41);
    const { proxy } = rounds;
    await disturb(rounds, async (host) => {
      proxy.throttle(512 * KiB);
      proxy.delay(5);
      await host.answered(20);
      proxy.throttle(Number.POSITIVE_INFINITY);
      proxy.delay(0);
    });
    for (const direction of ["up", "down"] as const) {
      await disturb(rounds, async () => {
        const { connections } = proxy;
        proxy.corrupt(direction, direction === "up" ? 20_000 : 40);
        await reconnected(proxy, connections);
      });
    }
    await disturb(rounds, async () => {
      const { connections } = proxy;
      proxy.cut();
      await reconnected(proxy, connections);
    });
  },
);

test("fault 23: in async a remote that nobody hears any more is found out, and found again", async () => {
  const rounds = await begin("async", 42);
  const { proxy, sites } = rounds;
  await disturb(rounds, async (host) => {
    proxy.goSilent();
    await whenSeen(async () => expect((await sites.group()).linkUp).toBe(false));
    expect((await sites.group()).lagRecords).toBeGreaterThan(0);
    await host.answered(20);
    proxy.speak();
  });
});
