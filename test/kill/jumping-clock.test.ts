/** The wall clock of all processes jumps while a host is at work; only the wall clock, as when somebody sets it. */
import { expect, test } from "vitest";
import { needPrograms, temporaryFolder } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { typeNumber } from "#test/oracle/log-file-reader.ts";
import { settableClock } from "#test/oracle/settable-clock.ts";
import { beginRounds, disturb } from "./rounds.ts";

needPrograms("setpriv");

const hourMs = 3_600_000;

test.each(["async", "sync"] as const)(
  "fault 28: in %s, while the clock jumps back an hour and forward a day, the order is that of the seqs and the link stands",
  async (mode) => {
    const folder = await temporaryFolder();
    const { jump, clocks } = settableClock(folder.file("offset"));
    const rounds = await beginRounds({ sizeBytes: 4 * MiB, mode, ...clocks }, 28);
    const { sites } = rounds;
    const offsetsMs = [-hourMs, 24 * hourMs, 0, -24 * hourMs, 0];
    await disturb(rounds, async (host) => {
      for (const offsetMs of offsetsMs) {
        jump(offsetMs);
        await host.answered(60);
      }
    });
    // `disturb` has compared source, spool, journals and what the host saw, and found no time that goes back.
    using replay = sites.replay();
    const { records } = replay;
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 1));
    expect(records.filter(({ type }) => type === typeNumber.clock)).toHaveLength(offsetsMs.length);
    // Nobody took the jump for the other's silence.
    expect(sites.program("local").stderr.match(/the remote is (there|gone)/g)).toEqual(["the remote is there"]);
    expect(await sites.group()).toMatchObject({ linkUp: true, lagRecords: 0, lagSeconds: 0, epoch: 1 });
  },
);
