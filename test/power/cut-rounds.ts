/**
 * Rounds of power cuts: a writer is at work, one site or both lose their power, come back, and everything that was promised
 * is looked for: in the source, in sync mode also at the remote; and the remote has a prefix of what was written.
 */
import { expect } from "vitest";
import { HistoryWriter, settleAll } from "#test/oracle/history-writer.ts";
import { JournalReplay } from "#test/oracle/journal-replay.ts";
import { volumeName } from "#test/oracle/sites.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { WriteHistory } from "#test/oracle/write-history.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { PoweredSites, type PoweredSitesOptions, type SiteName } from "./powered-sites.ts";

/** More than that in one life would only fill the disks. */
const requestsMax = 2000;

export interface CutRounds {
  readonly powered: PoweredSites;
  readonly options: PoweredSitesOptions;
  readonly history: WriteHistory;
  readonly random: SeededRandom;
}

export async function beginCutRounds(options: PoweredSitesOptions, seed: number): Promise<CutRounds> {
  const powered = await PoweredSites.make(options);
  const history = new WriteHistory(1, options.sizeBytes / 4096);
  return { powered, options, history, random: new SeededRandom(seed) };
}

export async function playCut(rounds: CutRounds, names: readonly SiteName[]): Promise<void> {
  const { powered, history, random } = rounds;
  const writtenBefore = history.count;
  const client = await powered.sites.connect();
  const writer = new HistoryWriter({ client, history, random: random.fork(`work ${writtenBefore}`) });
  const work = writer.run(requestsMax);
  await writer.whenAnswered(random.between(5, 200));
  const { epoch } = await powered.sites.group();
  await powered.cut(names, random.between(1, 150), random.integerBelow(2 ** 31));
  if (!names.includes("local")) {
    // The host notices nothing, but perhaps that it has to wait.
    await powered.powerUp(names);
    expectPrefix(rounds, writtenBefore);
    await powered.start(names);
    await writer.whenAnswered(writer.requests + 20);
    writer.end();
    await work;
    expect(writer.failure).toBeUndefined();
    await client.disconnect();
  } else {
    await work;
    await powered.powerUp(names);
    expectPrefix(rounds, writtenBefore);
    await powered.start(names);
  }
  expect(writer.complaints).toEqual([]);
  await attachAgain(rounds);
  // The order goes on in another epoch after a cut of its power, and only then.
  expect((await powered.sites.group()).epoch).toBe(names.includes("local") ? epoch + 1 : epoch);
}

/** At the remote's last moment: what it has is a prefix; in sync it has all that was promised. */
function expectPrefix({ powered, history, options }: CutRounds, writtenBefore: number): void {
  using replay = new JournalReplay({ remote: powered.sites.dataOf("remote") });
  const numbers = replay.remoteNumbers(replay.volumeNumber(volumeName));
  expect(history.judgePrefix(numbers, writtenBefore)).toBeUndefined();
  if (options.mode === "sync") expect([...history.promised].filter((number) => !numbers.includes(number))).toEqual([]);
}

/** All is there that has to be; and when all is calm, source, spool and remote say the same. */
async function attachAgain({ powered, history }: CutRounds): Promise<void> {
  const { sites } = powered;
  const client = await sites.connect();
  expect(await settleAll(client, history, { mayBeTorn: true })).toEqual([]);
  await client.flush();
  await client.disconnect();
  await sites.calm();
  using replay = sites.replay();
  expect(differences(sites.source, replay, replay.volumeNumber(volumeName))).toEqual([]);
  expect(replay.remoteLastSeq).toBe(replay.records.at(-1)?.seq);
}
