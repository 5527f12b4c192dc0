/** What is done about a link that is slow, shown with the real processes and a proxy between them. */
import { expect, test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { temporaryPlaces } from "#test/kill/rounds.ts";
import { LinkProxy } from "#test/oracle/link-proxy.ts";
import { Sites, volumeName } from "#test/oracle/sites.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { HostWrites } from "./host-writes.ts";

needPrograms("setpriv");

const sizeBytes = 8 * MiB;
const blockCount = sizeBytes / 4096;

/** Local and remote appliance with a slow TCP connection between them. */
async function slowSites(mode: "async" | "aggregated", remote: object): Promise<Sites> {
  const places = await temporaryPlaces();
  const proxy = await LinkProxy.between({ host: "127.0.0.1", port: 0 }, { path: `${places.folder}/wire.sock` });
  // Slower than any machine writes.
  proxy.throttle(MiB);
  const address = `127.0.0.1:${proxy.port}`;
  return Sites.make({ mode, sizeBytes, places, settings: { remote: { address, ...remote } } });
}

/** Writes to each block so many times, and waits until all has arrived; answers what that took on the link. */
async function fill(
  sites: Sites,
  rounds: number,
): Promise<{ readonly shippedBytes: number; readonly wireBytes: number }> {
  const client = await sites.connect();
  const writes = new HostWrites(client);
  for (let count = 0; count < rounds * blockCount; count++) {
    const written = writes.begin(count % blockCount, count % 251);
    if (count % 64 === 63) await written;
  }
  await writes.allAnswered();
  await client.disconnect();
  const { shippedBytes, wireBytes } = await sites.calm();
  using replay = sites.replay();
  expect(differences(sites.source, replay, replay.volumeNumber(volumeName))).toEqual([]);
  return { shippedBytes, wireBytes };
}

test.each(["async", "aggregated"] as const)(
  "in %s what can be compressed is, and arrives as it was written",
  async (mode) => {
    // More than the credit and the sockets between hold, so that the link is waited for.
    const { shippedBytes, wireBytes } = await fill(await slowSites(mode, {}), 3);
    expect(shippedBytes).toBeGreaterThan(sizeBytes);
    expect(wireBytes).toBeLessThan(shippedBytes);
  },
);

test("nothing is compressed where that is switched off, and a limit lets everything through in its time", async () => {
  const { shippedBytes, wireBytes } = await fill(await slowSites("async", { compress: "off", bandwidth: "4M" }), 1);
  expect(wireBytes).toBe(shippedBytes);
});
