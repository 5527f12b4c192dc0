/** Switches of the mode while several connections of a host keep many requests under way, and what must hold afterwards. */
import { expect } from "vitest";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
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

const modes = ["sync", "async", "aggregated"] as const satisfies readonly Mode[];

/** From each mode to each other, waited for; now and then one is asked for and called back before it can be there. */
export async function switchUnderLoad(switchCount: number, seed: number): Promise<void> {
  const sites = await Sites.make({
    mode: "async",
    sizeBytes,
    places: await temporaryPlaces(),
    // Aggregates are cut often, so that there are many.
    settings: { modes: { default: "async", aggregateSeconds: 0.02 } },
  });
  const random = new SeededRandom(seed);
  const history = new WriteHistory(1, sites.blockCount);
  const client = await Connections.open(await sites.open(), connectionCount);
  const writer = new HistoryWriter({ client, history, random: random.fork("host"), depth });
  const work = writer.run();
  const reported: ReportedSync[] = [];
  let from: Mode = "async";
  for (let count = 0; count < switchCount; count++) {
    await writer.whenAnswered(writer.requests + random.between(1, 64));
    const to = random.pick(modes.filter((mode) => mode !== from));
    if (random.chance(0.2)) for (const mode of [to, from]) await sites.setMode(mode);
    const { lastSeq, durable } = await sites.reachMode(to);
    from = to;
    if (to !== "sync") continue;
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
  expectEachOnce(sites, replay, (await sites.volume()).added);
}

/** Each switch is one record at one seq, and before sync was reported that record was durable at the remote. */
function expectSwitches(replay: JournalReplay, switchCount: number, reported: readonly ReportedSync[]): void {
  const records = replay.records.filter(({ type }) => type === typeNumber.mode);
  // One that was called back is none, or two.
  expect(records.length % 2).toBe(switchCount % 2);
  expect(records.length).toBeGreaterThanOrEqual(switchCount);
  const begun = ["async", ...records.map(({ extra }) => extra?.to)];
  expect(records.map(({ extra }) => extra?.from)).toEqual(begun.slice(0, -1));
  expect(records.every(({ extra }) => extra?.from !== extra?.to)).toBe(true);
  const pairs = new Set(records.map(({ extra }) => `${extra?.from} to ${extra?.to}`));
  expect(pairs.size).toBe(modes.length * (modes.length - 1));
  for (const { lastSeq, durableSeq, remoteDurableSeq } of reported) {
    const last = records.findLast(({ seq }) => seq <= lastSeq);
    expect(last?.extra?.to).toBe("sync");
    expect(Math.min(durableSeq, remoteDurableSeq)).toBeGreaterThanOrEqual(last?.seq as number);
  }
}

/** Nothing lost, nothing doubled, in an order that the host could have seen; aggregates only where the mode allows them. */
function expectEachOnce(sites: Sites, replay: JournalReplay, added: number): void {
  const volume = replay.volumeNumber(volumeName);
  expect(replay.remoteLastSeq).toBe(replay.records.at(-1)?.seq);
  expectOrdinals(replay, volume, added);
  const numbers = replay.remoteNumbers(volume);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(differences(sites.source, replay, volume)).toEqual([]);
  expectAggregatesInTheirMode(replay);
}

/** One after the other; how many an aggregate stands for cannot be seen in it. */
function expectOrdinals(replay: JournalReplay, volume: number, added: number): void {
  let last = 0;
  let isAfterAggregate = false;
  for (const { type, volume: of, ordinal } of replay.records) {
    if (type === typeNumber.aggregate) isAfterAggregate = true;
    if (of !== volume || ordinal === 0) continue;
    if (isAfterAggregate) expect(ordinal).toBeGreaterThan(last);
    else expect(ordinal).toBe(last + 1);
    last = ordinal;
    isAfterAggregate = false;
  }
  if (isAfterAggregate) expect(last).toBeLessThan(added);
  else expect(last).toBe(added);
}

function expectAggregatesInTheirMode(replay: JournalReplay): void {
  let mode: unknown = "async";
  let aggregateCount = 0;
  for (const { type, extra, aggregate } of replay.records) {
    if (aggregate !== undefined) expect(mode).toBe("aggregated");
    if (type === typeNumber.aggregate) aggregateCount++;
    if (type === typeNumber.mode) mode = extra?.to;
  }
  expect(aggregateCount).toBeGreaterThan(0);
}
