/** Several writes as one, shown with the real processes and their interfaces. */
import { expect, test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { temporaryPlaces } from "#test/kill/rounds.ts";
import { typeNumber } from "#test/oracle/log-file-reader.ts";
import { Sites, volumeName } from "#test/oracle/sites.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { bytesIn, HostWrites } from "./host-writes.ts";

needPrograms("setpriv");

const sizeBytes = 8 * MiB;
const block = 4096;

async function makeSites(aggregateSeconds: number): Promise<Sites> {
  const modes = { default: "aggregated", aggregateSeconds };
  return Sites.make({ mode: "aggregated", sizeBytes, places: await temporaryPlaces(), settings: { modes } });
}

function expectEqual(sites: Sites): void {
  using replay = sites.replay();
  expect(replay.remoteLastSeq).toBe(replay.records.at(-1)?.seq);
  expect(differences(sites.source, replay, replay.volumeNumber(volumeName))).toEqual([]);
}

test("claim A5: a block that is written a thousand times travels a few times, and each write is answered at once", async () => {
  // Few of them even where a thousand writes take long.
  const sites = await makeSites(2);
  await sites.calm();
  const client = await sites.connect();
  const before = await sites.group();
  for (let count = 1; count <= 1000; count++) {
    const writes = new HostWrites(client);
    await writes.begin(7, count % 256);
  }
  const { lastSeq } = await sites.group();
  expect(lastSeq).toBeGreaterThanOrEqual(before.lastSeq + 1000);
  await sites.calm();
  const { shippedBytes, wireFrames } = await sites.group();
  expect(shippedBytes - before.shippedBytes).toBeLessThan(100 * block);
  const frames = wireFrames - before.wireFrames;
  expect(frames).toBeGreaterThan(0);
  expect(frames).toBeLessThan(500);
  await client.disconnect();
  await sites.calm();
  using replay = sites.replay();
  const travelled = replay.records.filter(({ type, startBlock }) => type === typeNumber.write && startBlock === 7);
  expect(travelled.length).toBeLessThan(50);
  expect(bytesIn(sites.source, 8)[7]).toBe(1000 % 256);
  expectEqual(sites);
});

test("claim A5: a frozen remote holds up no write, and what was written meanwhile travels folded", async () => {
  // Long enough for several rounds of writes, however slow they are.
  const sites = await makeSites(1);
  const client = await sites.connect();
  await sites.calm();
  sites.program("remote").freeze();
  for (let count = 0; count < 20; count++) {
    const writes = new HostWrites(client);
    for (let index = 0; index < 64; index++) void writes.begin(index, count);
    await writes.allAnswered();
  }
  expect((await sites.group()).lagRecords).toBeGreaterThanOrEqual(20 * 64);
  sites.program("remote").thaw();
  await client.disconnect();
  const { lastSeq } = await sites.calm();
  using replay = sites.replay();
  expect(replay.records.length).toBeLessThan(lastSeq / 2);
  expectEqual(sites);
});

test("claim A5: with the remote killed in the middle of an aggregate all of it is there, or nothing, and in the end all is", async () => {
  // Long enough for all writes of a turn to come within one.
  const sites = await makeSites(3);
  const client = await sites.connect();
  for (const [index, place] of [2, 3].entries()) {
    const count = index + 1;
    await sites.calm();
    await sites.stop("remote");
    sites.faults = [`remote.before-data=kill@${place}`];
    await sites.start("remote");
    sites.faults = [];
    await sites.groupThat(({ linkUp }) => linkUp);
    const writes = new HostWrites(client);
    // More than one part has room for.
    for (let at = 0; at < 1024; at++) void writes.begin(at, count);
    await writes.allAnswered();
    // Where it is not killed, all arrives.
    await Promise.race([sites.program("remote").ended, sites.calm()]);
    expect([place, sites.program("remote").isRunning]).toEqual([place, false]);
    await sites.kill("remote");
    {
      using replay = sites.remoteReplay();
      const bytes = new Set<number | undefined>();
      for (const [at, origin] of replay.contentOf(replay.volumeNumber(volumeName)))
        if (at < 1024) bytes.add(replay.bytesOf(origin)[0]);
      expect([...bytes].every((byte) => byte === count || byte === count - 1)).toBe(true);
      expect(bytes.size).toBeLessThanOrEqual(1);
    }
    await sites.start("remote");
  }
  await client.disconnect();
  await sites.calm();
  expectEqual(sites);
});
