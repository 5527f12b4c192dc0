/** Switches of the mode while several connections of a host keep many requests under way, and what must hold afterwards. */
import { expect } from "vitest";
import { MiB } from "#test/clients/image.ts";
import { temporaryPlaces } from "#test/kill/rounds.ts";
import { HistoryWriter, settleAll } from "#test/oracle/history-writer.ts";
import type { JournalReplay } from "#test/oracle/journal-replay.ts";
import { typeNumber } from "#test/oracle/log-file-reader.ts";
import { Sites, volumeName } from "#test/oracle/sites.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { WriteHistory } from "#test/oracle/write-history.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { Connections } from "./connections.ts";

const connectionCount = 4;
const depth = 32;
const sizeBytes = 8 * MiB;

/** How things stood when a group's mode was said to be sync. */
interface ReportedSync {
  readonly lastSeq: number;
  readonly durableSeq: number;
  /** As the remote itself had it a moment later. */
  readonly remoteDurableSeq: number;
}

/** From async to sync and back, each waited for; now and then one is asked for and called back before it can be there. */
export async function switchUnderLoad(switchCount: number, seed: number): Promise<void> {
  const sites = await Sites.make({ mode: "async", sizeBytes, places: await temporaryPlaces() });
  const random = new SeededRandom(seed);
  const history = new WriteHistory(1, sites.blockCount);
  const client = await Connections.open(await sites.open(), connectionCount);
  const writer = new HistoryWriter({ client, history, random: random.fork("host"), depth });
  const work = writer.run();
  const reported: ReportedSync[] = [];
  for (let count = 0; count < switchCount; count++) {
    await writer.whenAnswered(writer.requests + random.between(1, 64));
    const [from, to] = count % 2 === 0 ? (["async", "sync"] as const) : (["sync", "async"] as const);
    if (random.chance(0.2)) for (const mode of [to, from]) await sites.setMode(mode);
    const { lastSeq, durable } = await sites.reachMode(to);
    if (to === "async") continue;
    reported.push({ lastSeq, durableSeq: durable, remoteDurableSeq: (await sites.remoteGroup()).durable });
  }
  writer.end();
  await work;
  expect([writer.failure, writer.complaints]).toEqual([undefined, []]);
  await sites.calm();
  history.promiseAnswered();
  expect(await settleAll(client, history)).toEqual([]);
  await client.disconnect();
  using replay = sites.replay();
  expectSwitches(replay, switchCount, reported);
  expectEachOnce(sites, replay, history, (await sites.volume()).added);
}

/** Each switch is one record at one seq, and before sync was reported that record was durable at the remote. */
function expectSwitches(replay: JournalReplay, switchCount: number, reported: readonly ReportedSync[]): void {
  const records = replay.records.filter(({ type }) => type === typeNumber.mode);
  // One that was called back is none, or two.
  expect(records.length % 2).toBe(switchCount % 2);
  expect(records.length).toBeGreaterThanOrEqual(switchCount);
  expect(records.map(({ extra }) => [extra?.from, extra?.to])).toEqual(
    records.map((_, index) => (index % 2 === 0 ? ["async", "sync"] : ["sync", "async"])),
  );
  expect(reported).toHaveLength(Math.ceil(switchCount / 2));
  for (const { lastSeq, durableSeq, remoteDurableSeq } of reported) {
    const last = records.findLast(({ seq }) => seq <= lastSeq);
    expect(last?.extra?.to).toBe("sync");
    expect(Math.min(durableSeq, remoteDurableSeq)).toBeGreaterThanOrEqual(last?.seq as number);
  }
}

/** Nothing lost, nothing doubled, in an order that the host could have seen. */
function expectEachOnce(sites: Sites, replay: JournalReplay, history: WriteHistory, added: number): void {
  const volume = replay.volumeNumber(volumeName);
  expect(replay.remoteLastSeq).toBe(replay.records.at(-1)?.seq);
  const ordinals = replay.records.filter((it) => it.volume === volume && it.ordinal > 0).map((it) => it.ordinal);
  expect(ordinals).toEqual(Array.from({ length: added }, (_, index) => index + 1));
  const numbers = replay.remoteNumbers(volume);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(history.judgePrefix(numbers)).toBeUndefined();
  expect(differences(sites.source, replay, volume)).toEqual([]);
}
