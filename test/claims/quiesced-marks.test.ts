/** Marks of a real file system at rest: what is there at the mark needs no repair, and nothing that came later is in it. */
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { MarkReport } from "#src/control/control-plane.ts";
import { launcher } from "#test/cli/running-program.ts";
import { attach, attachObstacle, mount } from "#test/clients/attached-disk.ts";
import { run, succeed } from "#test/clients/command.ts";
import { needPrograms, skipWhere, temporaryFolder } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { temporaryPlaces } from "#test/kill/rounds.ts";
import { Sites, volumeName } from "#test/oracle/sites.ts";

needPrograms("setpriv", "nbdfuse", "fusermount3", "losetup", "mkfs.ext4", "fsfreeze", "dumpe2fs", "debugfs", "e2fsck");
skipWhere(attachObstacle);

const sizeBytes = 48 * MiB;
const blockBytes = 4096;

async function imageAt(sites: Sites, seq: number, path: string): Promise<void> {
  using replay = sites.replay();
  const image = await open(path, "w");
  await image.truncate(sizeBytes);
  for (const [block, origin] of replay.contentOf(replay.volumeNumber(volumeName), seq)) {
    await image.write(replay.bytesOf(origin), 0, blockBytes, block * blockBytes);
  }
  await image.close();
}

/** Whether the file system would have to replay its log first. */
async function needsRecovery(image: string): Promise<boolean> {
  const { stdout } = await succeed("dumpe2fs", ["-h", image]);
  return stdout.includes("needs_recovery");
}

test.each(["async", "aggregated"] as const)(
  "in %s a mark with a frozen file system is that file system, whole",
  async (mode) => {
    const places = await temporaryPlaces();
    const sites = await Sites.make({ mode, sizeBytes, places });
    const folder = await temporaryFolder();
    const disk = await attach(folder, await sites.open());
    await succeed("mkfs.ext4", ["-q", disk.device]);
    const mounted = await mount(folder, disk.device);
    const mark = async (name: string, ...hooks: readonly string[]): Promise<MarkReport> => {
      const line = [launcher, "mark", volumeName, "--name", name, "--json", "--api", sites.api("local"), ...hooks];
      const { exitCode, stdout, stderr } = await run(process.execPath, line);
      expect([exitCode, stderr]).toEqual([0, ""]);
      return JSON.parse(stdout) as MarkReport;
    };
    await writeFile(join(mounted.path, "before"), "before");
    const loose = await mark("loose");
    const quiesce = `touch ${mounted.path}/rest && fsfreeze -f ${mounted.path}`;
    const whole = await mark("whole", "--quiesce", quiesce, "--release", `fsfreeze -u ${mounted.path}`);
    expect([loose.quiesced, whole.quiesced]).toEqual([false, true]);
    await writeFile(join(mounted.path, "after"), "after");
    await mounted.unmount();
    await disk.detach();
    await sites.calm();
    const images = { loose: folder.file("loose"), whole: folder.file("whole") };
    await imageAt(sites, loose.seq, images.loose);
    await imageAt(sites, whole.seq, images.whole);
    expect([await needsRecovery(images.loose), await needsRecovery(images.whole)]).toEqual([true, false]);
    await succeed("e2fsck", ["-f", "-n", images.whole]);
    const { stdout } = await succeed("debugfs", ["-R", "ls -p /", images.whole]);
    const names = ["before", "rest", "after"].filter((name) => stdout.includes(`/${name}/`));
    expect(names).toEqual(["before", "rest"]);
  },
);
