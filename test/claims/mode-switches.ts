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

interface ReportedSync {
  /** What the remote itself calls durable, at the moment when the local appliance calls the group's mode sync. */
  readonly durableSeq: number;
}

/** From async to sync and back, so many switches in all. */
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
    const isToSync = count % 2 === 0;
    await sites.reachMode(isToSync ? "sync" : "async");
    if (isToSync) reported.push({ durableSeq: (await sites.remoteGroup()).durable });
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
  expect(records.map(({ extra }) => [extra?.from, extra?.to])).toEqual(
    Array.from({ length: switchCount }, (_, count) => (count % 2 === 0 ? ["async", "sync"] : ["sync", "async"])),
  );
  const toSync = records.filter(({ extra }) => extra?.to === "sync");
  for (const [index, { durableSeq }] of reported.entries()) {
    expect(durableSeq).toBeGreaterThanOrEqual(toSync[index]?.seq as number);
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
