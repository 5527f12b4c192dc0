/** The local appliance is gone, and the volume's host was promised that it may go on without it (`track`). */
import { expect, test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { typeNumber } from "#test/oracle/log-file-reader.ts";
import { type Sites, volumeName } from "#test/oracle/sites.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { whenSeen } from "#test/patience.ts";
import { beginRounds, Host, type Rounds } from "./rounds.ts";

needPrograms("setpriv");

const settings = { interceptor: { applianceLost: "track", trackAfterSeconds: 0 } };

test.each([
  ["it is back", []],
  ["it and the interceptor are back, which was killed meanwhile", ["interceptor"]],
] as const)("what was written while the local appliance was dead comes after it when %s", async (_, killed) => {
  const rounds = await beginRounds({ sizeBytes: 4 * MiB, mode: "async", settings }, 7);
  const { sites } = rounds;
  const host = new Host(rounds);
  await host.attach();
  await host.answered(50);
  await sites.kill("local");
  await stateIs(sites, "tracking");
  await host.answered(100);
  await sites.kill(...killed);
  if (killed.length > 0) await host.lost();
  const copies = copiesOf(rounds);
  await sites.start("local", ...killed);
  await copied(sites);
  if (killed.length > 0) await host.attach();
  await host.answered(50);
  await host.detach();
  await sites.calm();
  using replay = sites.replay();
  expect(differences(sites.source, replay, replay.volumeNumber(volumeName))).toEqual([]);
  expect(copiesOf(rounds)).toBe(copies + 1);
});

function stateIs(sites: Sites, wanted: string): Promise<void> {
  return whenSeen(async () => expect((await sites.volume()).state).toBe(wanted));
}

function copied(sites: Sites): Promise<void> {
  return whenSeen(async () => {
    const { state, copy } = await sites.volume();
    expect([state, copy]).toEqual(["open", undefined]);
  });
}

/** That the order tells of. */
function copiesOf({ sites }: Rounds): number {
  using replay = sites.replay();
  return replay.records.filter(({ type }) => type === typeNumber.resyncEnd).length;
}
