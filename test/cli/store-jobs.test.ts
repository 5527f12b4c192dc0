/** Long works over the store and its keys, as an operator types them, over processes as they are. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import type { KeyFacts } from "#src/control/store-key-orders.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

async function withSealedData(...settings: readonly string[]) {
  const folder = temporaryFolder();
  const more = ["store.sealAfterSeconds=1", ...settings].flatMap((setting) => ["--set", setting]);
  const up = await RunningProgram.start("up", join(folder, "data"), ...more);
  const add = ["volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "8M"];
  const { uris } = (await up.asked(...add)) as VolumeReport;
  const client = await openVolume(uris[0] as string);
  for (let block = 0; block < 64; block++) await client.write(block * 4096, Buffer.alloc(4096, 1 + (block % 16)));
  await client.flush();
  await client.disconnect();
  await whenSeen(async () => {
    const [group] = (await up.status()).remoteGroups;
    expect([group?.received, group?.stored]).toEqual([group?.durable, group?.durable]);
    expect(group?.stored).toBeGreaterThan(0);
  });
  return { up, folder };
}

test("a store that has sealed something verifies, its index is made anew, and the jobs tell of it", async () => {
  const { up } = await withSealedData();
  const verified = (await up.asked("verify", "store")) as JobReport;
  expect(verified).toMatchObject({ id: 1, kind: "verify", state: "done", by: "operator" });
  expect(verified.result).toMatchObject({ isSound: true, figures: { groups: 1, segments: 1, findings: 0 }, lines: [] });
  expect(verified.result?.figures.keptBlocks).toBe(16);
  await whenSeen(async () => {
    const { store } = await up.status();
    expect(store?.state?.sizes).toMatchObject({ segmentCount: 1, logicalBytes: 64 * 4096, uniqueBytes: 16 * 4096 });
  });
  const rebuilt = (await up.asked("index", "rebuild")) as JobReport;
  expect(rebuilt.result?.figures).toEqual({ segments: 1, fingerprints: 16, unreadableSegments: 0 });
  const text = (await up.typed("job", "show", "2", "--wait")).stdout;
  expect(text).toMatch(/^job 2 \(index\) is done after \d+ s\n {2}segments: 1\n {2}fingerprints: 16\n/);
  expect((await up.typed("job", "ls")).stdout).toMatch(
    /^JOB +KIND +BY +STATE.*\n +1 +verify +operator +done .*\n +2 +index/,
  );
  expect((await up.typed("job", "cancel", "2")).stderr).toContain("job 2 is done");
  expect((await up.typed("job", "show", "7")).stderr).toContain("there is no job '7'");
  expect(await up.typed("verify", "store", "--no-wait")).toMatchObject({
    exitCode: 0,
    stdout: "job 3 goes on by itself; 'tidemark job show 3' tells how far it is\n",
    stderr: "",
  });
  const scrubbed = (await up.asked("scrub")) as JobReport;
  expect(scrubbed).toMatchObject({ kind: "scrub", state: "done", result: { isSound: true, lines: [], findings: [] } });
  expect(await up.typed("store", "retry")).toMatchObject({ exitCode: 0 });
  expect((await up.typed("store", "key", "ls")).stdout).toBe("the store is not encrypted\n");
});

test("the key of a store is replaced while it is in use, and its data stays as it is", async () => {
  const keys = temporaryFolder();
  const [oldKey, newKey] = ["old.key", "new.key"].map((name) => {
    writeFileSync(join(keys, name), randomBytes(32).toString("hex"));
    return join(keys, name);
  }) as [string, string];
  const { up, folder } = await withSealedData(`store.keyFile=${oldKey}`);
  const ls = async (program: RunningProgram) =>
    ((await program.asked("store", "key", "ls")) as { readonly keys: readonly KeyFacts[] }).keys;
  const [first] = await ls(up);
  expect(await ls(up)).toEqual([{ id: first?.id, isUsed: true }]);
  const bad = join(keys, "bad.key");
  writeFileSync(bad, "not a key");
  expect((await up.typed("store", "key", "add", bad)).stderr).toContain(`the key file ${bad} holds no key`);
  const { id } = (await up.asked("store", "key", "add", newKey)) as { readonly id: string };
  expect((await ls(up)).map(({ id, isUsed }) => [id, isUsed])).toEqual([
    [first?.id, true],
    [id, false],
  ]);
  const refused = await up.typed("store", "key", "rm", first?.id ?? "");
  expect([refused.exitCode, refused.stderr]).toEqual([
    1,
    expect.stringContaining("it is replaced by another, not removed"),
  ]);
  await up.program.stop();

  const again = await RunningProgram.start("up", join(folder, "data"), "--set", `store.keyFile=${newKey}`);
  await again.asked("store", "key", "rm", first?.id ?? "");
  expect(await ls(again)).toEqual([{ id, isUsed: true }]);
  expect(((await again.asked("verify", "store")) as JobReport).result?.isSound).toBe(true);
  await again.program.stop();
  const start = RunningProgram.start("up", join(folder, "data"), "--set", `store.keyFile=${oldKey}`);
  await expect(start).rejects.toThrow("the store does not open with this key");
});
