/** A disk that stands still for half a minute, at full size, in the middle of a sync: that of the spool, or of the remote's journals. */
import { expect, test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { shareOf } from "#test/long-share.ts";
import { residentBytes } from "#test/oracle/process-facts.ts";
import { roleNames } from "#test/oracle/sites.ts";
import { whenSeen } from "#test/patience.ts";
import { beginRounds, disturb } from "./rounds.ts";

needPrograms("setpriv", "strace");

/** Each thread that syncs meets it once, and that has to be long enough to be seen by who looks now and then. */
const stallSeconds = Math.max(6, shareOf(30));
/** By then it is sure that the host waits for just this. */
const seenSeconds = (2 * stallSeconds) / 3;
/** For what is under way, and for the tracer's first looks at code that has run little. */
const grownBytesMax = 96 * MiB;

test.each(["local", "remote"] as const)(
  "fault 17: a sync of the %s appliance stands still, and all else goes on",
  async (role) => {
    const rounds = await beginRounds({ sizeBytes: 4 * MiB, mode: "sync" }, 17);
    const { sites } = rounds;
    await sites.stop(role);
    const syncs = "fdatasync,fsync";
    const stalled = `inject=${syncs}:delay_enter=${stallSeconds}s:when=40`;
    sites.under = ["strace", "-D", "-f", "-qqq", "-o", "/dev/null", "-e", `trace=${syncs}`, "-e", stalled];
    await sites.start(role);
    sites.under = [];
    await disturb(rounds, async (host) => {
      const before = roleNames.map((one) => residentBytes(sites.program(one).processId, "now"));
      const waited = async () => expect((await sites.volume()).hostWaitSeconds).toBeGreaterThan(seenSeconds);
      await whenSeen(waited);
      for (const one of roleNames) expect((await fetch(`${sites.api(one)}/healthz`)).status).toBe(200);
      await host.answered(100);
      const most = roleNames.map((one) => residentBytes(sites.program(one).processId, "most"));
      for (const [index, bytes] of before.entries()) expect(most[index]).toBeLessThan(bytes + grownBytesMax);
    });
  },
);
