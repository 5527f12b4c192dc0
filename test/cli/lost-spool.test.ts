/** Data of the local appliance that is lost, or was put back from an old copy, and the way out of it. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { whenSeen } from "#test/patience.ts";
import { LosablePlace } from "./losable-place.ts";

test("fault 20: where a spool is gone its group is stopped, others work, and move-spool goes on from the source", async () => {
  const place = new LosablePlace();
  await place.start();
  await place.add("a");
  const before = place.spoolFiles();
  await place.add("b");
  await place.up.program.stop();
  for (const path of before) rmSync(path);
  await place.start();
  const { stdout } = await place.up.typed("status");
  expect(stdout).toContain("not ready: volume a is being opened: the group 'a' is stopped: the spool in");
  expect(stdout).toContain("'tidemark volume move-spool'");
  await place.write("b", 4);
  const moved = await place.up.typed("volume", "move-spool", "a");
  expect(moved).toMatchObject({ exitCode: 0, stdout: "a has a new spool and is steady\n" });
  await place.write("a", 5);
  await place.calm("a");
  await place.expectEqual("a");
  await place.expectEqual("b");
  await place.up.program.stop();
  await place.start();
  await place.write("a", 6);
  await place.calm("a");
  await place.expectEqual("a");
  expect(await place.up.typed("volume", "move-spool", "a")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("the spool of group 'a' is sound"),
  });
});

test("fault 20: an old copy of the local appliance's data is refused by the remote, and what to do is said", async () => {
  const place = new LosablePlace();
  await place.start();
  await place.add("a");
  await place.up.program.stop();
  const putBack = place.keep(join(place.data, "local"));
  await place.start();
  await place.write("a", 7, 8, 9);
  await place.calm("a");
  await place.up.program.stop();
  await place.start();
  await place.write("a", 10);
  await place.up.program.stop();
  putBack();
  await place.start();
  await whenSeen(async () =>
    expect((await place.up.typed("status")).stdout).toMatch(/old copy of its data.*volume move-spool/),
  );
  expect((await place.up.typed("volume", "move-spool", "a", "--to", place.folder)).exitCode).toBe(0);
  await place.write("a", 11);
  await place.calm("a");
  await place.expectEqual("a");
});

test("fault 20: a source that somebody has changed is journaled anew when that is asked for", async () => {
  const place = new LosablePlace();
  await place.start();
  await place.add("a");
  await place.calm("a");
  await place.up.program.stop();
  const image = readFileSync(place.source("a"));
  writeFileSync(place.source("a"), image.fill(0x77, 2 * MiB, 3 * MiB));
  await place.start();
  await whenSeen(async () => expect((await place.volume("a")).state).toBe("open"));
  expect(await place.up.typed("volume", "resync", "a")).toMatchObject({ exitCode: 0 });
  await place.calm("a");
  await place.expectEqual("a");
});
