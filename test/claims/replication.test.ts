/**
 * What a backup by continuous replication has to do, shown with the real processes and their interfaces: each write goes to
 * the local appliance first, and to the source only when the mode allows it.
 */
import { expect, test } from "vitest";
import { launcher } from "#test/cli/running-program.ts";
import { run } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { temporaryPlaces } from "#test/kill/rounds.ts";
import { HistoryWriter } from "#test/oracle/history-writer.ts";
import { Sites, type SitesOptions, volumeName } from "#test/oracle/sites.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { WriteHistory } from "#test/oracle/write-history.ts";
import { whenSeen } from "#test/patience.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { bytesIn, HostWrites } from "./host-writes.ts";

needPrograms("setpriv");

const sizeBytes = 4 * MiB;
const writeCount = 8;
const old = Array.from({ length: writeCount }, () => 1);
const fresh = Array.from({ length: writeCount }, (_, block) => 100 + block);

async function makeSites(options: Pick<SitesOptions, "mode" | "settings">): Promise<Sites> {
  return Sites.make({ sizeBytes, places: await temporaryPlaces(), ...options });
}

/** The first blocks hold what is old everywhere, then others are written to them, which nobody has waited for yet. */
async function beginWrites(sites: Sites, freeze: () => void) {
  const client = await sites.connect();
  const writes = new HostWrites(client);
  for (const [block, byte] of old.entries()) void writes.begin(block, byte);
  await writes.allAnswered();
  await sites.calm();
  const { added } = await sites.volume();
  freeze();
  const later = new HostWrites(client);
  for (const [block, byte] of fresh.entries()) void later.begin(block, byte);
  // The interceptor has made records of all of them; what happens to these is in question now.
  await whenSeen(async () => expect((await sites.volume()).added).toBe(added + writeCount));
  return { client, added, writes: later };
}

async function expectUntouched(sites: Sites, begun: Awaited<ReturnType<typeof beginWrites>>): Promise<void> {
  const { client, added, writes } = begun;
  // Requests behind the writes, on the same connection, are answered; the writes are not.
  for (let block = 100; block < 150; block++) await client.read(block * 4096, 4096);
  expect(writes.answeredCount).toBe(0);
  expect(await sites.volume()).toMatchObject({ acknowledged: added, applied: added });
  expect(bytesIn(sites.source, writeCount)).toEqual(old);
}

async function expectThroughAndEqual(sites: Sites, { client, writes }: Awaited<ReturnType<typeof beginWrites>>) {
  await writes.allAnswered();
  expect(bytesIn(sites.source, writeCount)).toEqual(fresh);
  await client.disconnect();
  await sites.calm();
  using replay = sites.replay();
  expect(differences(sites.source, replay, replay.volumeNumber(volumeName))).toEqual([]);
}

test("claim A2: while the local appliance is frozen no write reaches the source, and the host is not answered", async () => {
  const sites = await makeSites({ mode: "async" });
  const begun = await beginWrites(sites, () => sites.program("local").freeze());
  await expectUntouched(sites, begun);
  sites.program("local").thaw();
  await expectThroughAndEqual(sites, begun);
});

test("claim A3: in sync, while the remote appliance is frozen, the local one has the writes, the source and the host not", async () => {
  const sites = await makeSites({ mode: "sync", settings: { modes: { default: "sync", linkLoss: "stall" } } });
  await sites.groupThat(({ mode }) => mode === "sync");
  const begun = await beginWrites(sites, () => sites.program("remote").freeze());
  const { lastSeq, received } = await sites.groupThat((group) => group.lastSeq >= group.received + writeCount);
  expect(lastSeq).toBe(received + writeCount);
  await expectUntouched(sites, begun);
  // However long it takes: also when the remote is taken for gone.
  await sites.groupThat(({ linkUp, state }) => !linkUp && state === "stalled");
  await expectUntouched(sites, begun);
  sites.program("remote").thaw();
  await expectThroughAndEqual(sites, begun);
  expect(await sites.group()).toMatchObject({ mode: "sync", state: "steady" });
});

test("claim A3: in sync by the policy to degrade writes go on after a time, and it is said from where on", async () => {
  const modes = { default: "sync", linkLoss: "degrade", degradeAfterSeconds: 5 };
  const sites = await makeSites({ mode: "sync", settings: { modes } });
  await sites.groupThat(({ mode }) => mode === "sync");
  const begun = await beginWrites(sites, () => sites.program("remote").freeze());
  const { received } = await sites.group();
  await expectUntouched(sites, begun);
  await begun.writes.allAnswered();
  const suspended = await sites.group();
  expect(suspended).toMatchObject({ mode: "async", state: "suspended", suspendedSinceSeq: received + 1 });
  sites.program("remote").thaw();
  await sites.groupThat(({ mode, state }) => mode === "sync" && state === "steady");
  await expectThroughAndEqual(sites, begun);
});

test("claim A4: in async a frozen remote holds up no write, the lag is told, and nothing is lost when it goes on", async () => {
  const sites = await makeSites({ mode: "async" });
  const history = new WriteHistory(1, sites.blockCount);
  const client = await sites.connect();
  const writer = new HistoryWriter({ client, history, random: new SeededRandom(4) });
  await writer.run(100);
  await sites.calm();
  sites.program("remote").freeze();
  await writer.run(600);
  const behind = await sites.group();
  expect(behind.lagRecords).toBe(behind.lastSeq - behind.durable);
  expect(behind.lagRecords).toBeGreaterThan(100);
  expect(behind.lagBytes).toBeGreaterThan(behind.lagRecords * 512);
  // It goes on telling the truth when the link is given up.
  const later = await sites.groupThat(({ linkUp, lagSeconds }) => !linkUp && lagSeconds > behind.lagSeconds);
  expect(later).toMatchObject({ lagRecords: behind.lagRecords, lagBytes: behind.lagBytes });
  await writer.run(700);
  const { stdout } = await run(process.execPath, [launcher, "status", "--api", sites.api("local")]);
  expect(stdout).toMatch(
    new RegExp(`^disk +async +steady +down +\\d+ +${(await sites.group()).lagRecords} .* s `, "m"),
  );
  sites.program("remote").thaw();
  expect(await sites.calm()).toMatchObject({ lagRecords: 0, lagBytes: 0, lagSeconds: 0 });
  expect([writer.failure, writer.complaints]).toEqual([undefined, []]);
  await client.disconnect();
  using replay = sites.replay();
  const volume = replay.volumeNumber(volumeName);
  expect(replay.remoteLastSeq).toBe(replay.records.at(-1)?.seq);
  expect(differences(sites.source, replay, volume)).toEqual([]);
  expect(history.judgePrefix(replay.remoteNumbers(volume))).toBeUndefined();
});
