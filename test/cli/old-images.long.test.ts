/** Old images of a source or of journals, put back when the spool has let go of what they lack. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { whenSeen } from "#test/patience.ts";
import { LosablePlace } from "./losable-place.ts";

test("fault 20: an old image of a source, with its map, is not taken for the newest until somebody says so", async () => {
  const place = new LosablePlace();
  await place.start();
  await place.add("a");
  await place.calm("a");
  await place.up.program.stop();
  const putBack = place.keep(place.source("a"), join(place.data, "interceptor"));
  await place.start();
  await place.writeMuch("a");
  await place.up.program.stop();
  putBack();
  await place.start();
  const isRefused = async (): Promise<void> => {
    const { state, why } = await place.volume("a");
    expect([state, why]).toEqual([
      "opening",
      expect.stringMatching(/^the source of 'a' had its first \d+ changes, and now has/),
    ]);
  };
  await whenSeen(isRefused);
  expect((await place.up.typed("volume", "ls")).stdout).toContain(
    "take this one as it is with 'tidemark volume resync a'",
  );
  expect((await place.up.typed("volume", "resync", "a")).exitCode).toBe(0);
  await place.calm("a");
  expect(readFileSync(place.source("a"))[5 * 65_536]).toBe(0);
  await place.expectEqual("a");
});

test("fault 20: old journals at the remote are found out, and all is journaled anew", async () => {
  const place = new LosablePlace();
  await place.start();
  await place.add("a");
  await place.calm("a");
  await place.up.program.stop();
  const putBack = place.keep(join(place.data, "remote"));
  await place.start();
  await place.writeMuch("a");
  await place.up.program.stop();
  putBack();
  await place.start();
  await whenSeen(async () =>
    expect((await place.up.typed("status")).stdout).toMatch(
      /neither here nor in the spool; where the remote appliance has lost its disk/,
    ),
  );
  expect((await place.up.typed("volume", "move-spool", "a")).exitCode).toBe(0);
  expect((await place.up.typed("volume", "resync", "a")).exitCode).toBe(0);
  await place.calm("a");
  await place.expectEqual("a");
});
