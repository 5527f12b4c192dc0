/** Files that are not what they were when real processes come back to them: damaged, of another version, or a copy. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { StatusReport } from "#src/control/control-plane.ts";
import { launcher } from "#test/cli/running-program.ts";
import { needPrograms, temporaryFolder } from "#test/clients/harness.ts";
import { stampedBytes } from "#test/oracle/block-stamp.ts";
import { Program } from "#test/oracle/program.ts";
import type { Sites } from "#test/oracle/sites.ts";
import { whenSeen } from "#test/patience.ts";
import { AlteredFile, logContents } from "./altered-file.ts";
import { after, StoppedAt } from "./stopped-at.ts";

needPrograms("setpriv");

/** A volume with several flushed writes, all ended in order; the remote does not have the last of them yet. */
const written = StoppedAt.beginning("async", async ({ sites }) => {
  await sites.start("local", "interceptor");
  const client = await sites.connect();
  for (const byte of [3, 4, 5, after]) {
    await client.write(0, Buffer.alloc(stampedBytes, byte));
    await client.flush();
  }
  await client.disconnect();
  await sites.stop("interceptor", "local");
});

const alterations = [
  ["damaged before sound records", AlteredFile.withDamage, "is damaged"],
  ["of another version", AlteredFile.ofNextVersion, "version"],
] as const;

test.each(alterations)(
  "faults 12 and 29: a spool that is %s stops its group at the local appliance, and is left as it is",
  async (_, alter, what) => {
    const it = await written();
    const folder = it.sites.dataOf("local");
    const altered = alter(folder, "spool");
    const before = logContents(folder);
    await it.sites.start("local");
    const { why = "" } = await it.sites.groupThat((group) => group.state === "stopped");
    for (const words of [altered.path, what, "volume move-spool"]) expect(why).toContain(words);
    await it.sites.stop("local");
    expect(logContents(folder)).toEqual(before);
    altered.putBack();
    await it.startAgain();
    await it.expectWhole(after);
  },
);

test.each(alterations)(
  "faults 12 and 29: a journal that is %s stops its group at the remote, and is left as it is",
  async (_, alter, words) => {
    const it = await written();
    const folder = it.sites.dataOf("remote");
    const altered = alter(folder, "metadata");
    const before = logContents(folder);
    await it.sites.start("remote", "local", "interceptor");
    const { state, why } = await it.sites.remoteGroup();
    expect([state, why]).toEqual(["stopped", expect.stringContaining(words)]);
    const refused = await it.sites.groupThat((group) => group.why !== undefined);
    expect(refused).toMatchObject({ linkUp: false, lagRecords: expect.any(Number) });
    expect(refused.why).toContain(words);
    expect(logContents(folder)).toEqual(before);
    await it.killAll();
    altered.putBack();
    await it.startAgain();
    await it.expectWhole(after);
  },
);

/** A local appliance on a copy of another one's data, which lies where the other one was stopped. */
async function startCopy(sites: Sites, data: string): Promise<() => Promise<StatusReport>> {
  const { path } = await temporaryFolder();
  const settings = JSON.parse(readFileSync(sites.configOf("local"), "utf8")) as { readonly local: object };
  const config = join(path, "copy.yaml");
  const local = { ...settings.local, socket: join(path, "local.sock") };
  writeFileSync(config, JSON.stringify({ ...settings, data, local }));
  const program = new Program("copy", [process.execPath, launcher, "local", "--config", config, "--json"]);
  const ready = JSON.parse(await program.line((line) => line.startsWith("{"))) as { readonly api: string };
  return async () => (await (await fetch(`${ready.api}/api/v1/status`)).json()) as StatusReport;
}

test("fault 26: a second local appliance on a copy of the data is refused, and the first one goes on", async () => {
  const it = await written();
  const { sites } = it;
  const copy = join((await temporaryFolder()).path, "local");
  cpSync(sites.dataOf("local"), copy, { recursive: true });
  await it.startAgain();
  const status = await startCopy(sites, copy);
  await whenSeen(async () => {
    const [group] = (await status()).groups;
    expect([group?.linkUp, group?.why]).toEqual([false, expect.stringContaining("refuses this group")]);
  });
  expect(await sites.group()).toMatchObject({ linkUp: true });
  await it.expectRetryIsHarmless();
  expect((await status()).groups[0]?.linkUp).toBe(false);
});
