/** A link that is away for longer than a small spool can hold, again and again, with real processes. */
import { join } from "node:path";
import { expect, test } from "vitest";
import type { TimelineReport } from "#src/control/volume-history.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { typeNumber } from "#test/oracle/log-file-reader.ts";
import { Sites, volumeName } from "#test/oracle/sites.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { whenSeen } from "#test/patience.ts";
import { Host, roundsOf, temporaryPlaces } from "./rounds.ts";

needPrograms("setpriv");

test("faults 15 and 22: three times the spool overflows without a remote, each gap is told, and both sides end the same", async () => {
  const places = await temporaryPlaces();
  const spool = { segment: "4M", limit: "16M" };
  const settings = { local: { socket: join(places.folder, "local.sock"), spool }, modes: { overflowAfterSeconds: 0 } };
  const sites = await Sites.make({ places, sizeBytes: 16 * MiB, mode: "async", settings });
  const rounds = { ...roundsOf(sites, 11), blocksPerWriteMax: 64 };
  const host = new Host(rounds);
  await host.attach();
  for (let round = 1; round <= 3; round++) {
    await host.answered(50);
    await sites.kill("remote");
    await stateIs(sites, "tracking");
    await host.answered(100);
    await sites.start("remote");
    await stateIs(sites, "open");
    await whenSeen(() => expect(gapsOf(sites)).toHaveLength(round));
  }
  await host.answered(50);
  await host.detach();
  await sites.calm();
  using replay = sites.replay();
  expect(differences(sites.source, replay, replay.volumeNumber(volumeName))).toEqual([]);
  const response = await fetch(`${sites.api("remote")}/api/v1/volumes/${volumeName}/timeline`);
  const { ranges } = (await response.json()) as TimelineReport;
  const told = ranges.filter(({ kind }) => kind === "resync");
  const gaps = gapsOf(sites);
  expect(told.map(({ lastSeq }) => lastSeq)).toEqual(gaps.map(([, lastSeq]) => lastSeq));
  // From where the volume was first written to without protection, which is before the record that says so.
  for (const [index, { firstSeq }] of told.entries()) {
    expect(firstSeq).toBeLessThanOrEqual(gaps[index]?.[0] as number);
    expect(firstSeq).toBeGreaterThan(gaps[index - 1]?.[1] ?? 0);
  }
});

function stateIs(sites: Sites, wanted: string): Promise<void> {
  return whenSeen(async () => expect((await sites.volume()).state).toBe(wanted));
}

/** As the order tells of them: the first and the last record that are no point. */
function gapsOf(sites: Sites): [number, number][] {
  using replay = sites.replay();
  const gaps: [number, number][] = [];
  let begin: number | undefined;
  for (const { type, seq } of replay.records) {
    if (type === typeNumber.resyncBegin) begin ??= seq;
    if (type !== typeNumber.resyncEnd || begin === undefined) continue;
    gaps.push([begin, seq - 1]);
    begin = undefined;
  }
  return gaps;
}
