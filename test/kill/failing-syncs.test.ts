/** Disks that cannot sync: the system says so to real processes, and what they then say to a host. */
import { expect, test } from "vitest";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { stampedBytes } from "#test/oracle/block-stamp.ts";
import { StoppedAt } from "./stopped-at.ts";

needPrograms("setpriv", "strace");

const begin = StoppedAt.beginning("async");

/** From the third sync of each thread on. The tracer is below the program, so that signals reach it. */
const failing = "inject=fdatasync:error=EIO:when=3+";
const tracer = ["strace", "-D", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", failing];
const bytesMax = 250;

/** Writes and flushes ever higher bytes until one is an error; answers the last one that was promised. */
async function writeUntilError(client: NbdClient, first: number): Promise<number> {
  for (let byte = first; byte < bytesMax; byte++) {
    try {
      await client.write(0, Buffer.alloc(stampedBytes, byte));
      await client.flush();
    } catch (error) {
      expect((error as Error).message).toContain("EIO");
      return byte - 1;
    }
  }
  throw new Error("no sync has failed");
}

test.each(["interceptor", "local"] as const)(
  "fault 13: a sync that fails in the %s is an error for the host and stays one, and what was promised before is there",
  async (role) => {
    const it = await begin();
    await it.startUnder(role, ...tracer);
    const client = await it.sites.connect();
    const promised = await writeUntilError(client, 2);
    // Asking again is no way to be told that all is well.
    for (let count = 0; count < 3; count++) await expect(client.flush()).rejects.toThrow("EIO");
    await expect(client.write(0, Buffer.alloc(stampedBytes, bytesMax))).rejects.toThrow("EIO");
    await client.disconnect();
    await it.killAll();
    await it.startAgain();
    expect([promised, promised + 1]).toContain(it.inSource);
    await it.expectWhole(it.inSource as number);
    await it.expectRetryIsHarmless();
  },
);
