/** What becomes of a source when it is added: what is said of it, what is refused, and what is left after a failure. */
import { existsSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { onceForFile } from "#test/once-for-file.ts";
import { whenSeen } from "#test/patience.ts";
import type { LineAnswer } from "./lines-in-turn.ts";
import { RunningProgram } from "./running-program.ts";
import { typedInTurn } from "./typed-in-turn.ts";

const warning = /disk: what .*disk\.img held before it was protected is not all in the journal yet/;

/** For tests that add what others do not ask for. */
const shared = onceForFile(async (outlast) => {
  const folder = temporaryFolder(outlast);
  const data = join(folder, "data");
  const up = await RunningProgram.startFor(outlast, "up", data, "--set", `nbd.socket=${join(folder, "nbd.sock")}`);
  return { folder, data, up };
});

describe("what a source held before", () => {
  test("is copied, and said not to be protected until that is done, also over a restart", async () => {
    const folder = temporaryFolder();
    const source = join(folder, "disk.img");
    writeFileSync(source, Buffer.alloc(8 * 2 ** 20, 1));
    const slow = ["--set", "copy.bytesPerSecond=64K"];
    const up = await RunningProgram.start("up", join(folder, "data"), ...slow);
    expect((await up.typed("volume", "add", "disk", "--source", source)).stdout).toMatch(warning);
    const { stdout } = await up.typed("volume", "ls");
    expect(stdout).toMatch(warning);
    expect(stdout).toMatch(/disk: the initial copy is under way: \d+ %, .* of 8\.0 MiB, .*\/s; no point lies in it/);
    await up.program.stop();
    const again = await RunningProgram.start("up", join(folder, "data"), ...slow);
    expect((await again.typed("status")).stdout).toMatch(warning);
    // It goes on when the appliances have found each other again.
    await whenSeen(async () => {
      const volumes = [{ baseMissing: true, copy: { kind: "initial" } }];
      expect(await again.asked("volume", "ls")).toMatchObject({ volumes });
    });
    await again.program.stop();
    const fast = await RunningProgram.start("up", join(folder, "data"));
    await whenSeen(async () => {
      const { volumes } = (await fast.asked("volume", "ls")) as { readonly volumes: readonly VolumeReport[] };
      const isComplete = volumes.map(({ state, baseMissing, copy }) => [state, baseMissing, copy]);
      expect(isComplete).toEqual(volumes.map(() => ["open", false, undefined]));
    });
    expect((await fast.typed("status")).stdout).not.toContain("not all protected");
  });

  test("is nothing in a file that is all hole, made just now or there before", async () => {
    const { folder, up } = await shared();
    const there = join(folder, "there.img");
    writeFileSync(there, "");
    truncateSync(there, 2 ** 20);
    const made = (await up.asked("volume", "add", "a", "--source", join(folder, "a"), "--size", "1M")) as VolumeReport;
    const found = (await up.asked("volume", "add", "b", "--source", there)) as VolumeReport;
    expect([made.baseMissing, found.baseMissing]).toEqual([false, false]);
    expect((await up.typed("status")).stdout).not.toContain("not protected");
  });
});

describe("what is the program's own is no source", () => {
  test("its files, however their path is written", async () => {
    const { folder, data, up } = await shared();
    symlinkSync(data, join(folder, "link"));
    const paths = ["data/interceptor/volumes.json", "link/remote/lock", "data/../data/wire.token", "data/local"];
    const add = ["volume", "add", "disk", "--api", up.api, "--source"];
    const answers = await typedInTurn(paths.map((path) => [...add, `${folder}/${path}`]));
    for (const [index, path] of paths.entries()) {
      const { exitCode, stderr } = answers[index] as LineAnswer;
      expect([path, exitCode, stderr.split("\n").length]).toEqual([path, 1, 2]);
      expect(stderr).toContain("is one of the files that Tidemark itself keeps in");
    }
    const made = await up.typed("volume", "add", "disk", "--source", join(data, "remote/disk"), "--size", "1M");
    expect([made.exitCode, existsSync(join(data, "remote/disk"))]).toEqual([1, false]);
  });

  test("its exports, under each of its addresses", async () => {
    const { folder, up } = await shared();
    const source = join(folder, "disk.img");
    const { uris } = (await up.asked("volume", "add", "disk", "--source", source, "--size", "1M")) as VolumeReport;
    expect(uris).toHaveLength(2);
    const all = [...uris, uris[1]?.replace("127.0.0.1", "localhost") as string];
    const add = ["volume", "add", "other", "--api", up.api, "--source"];
    for (const { exitCode, stderr } of await typedInTurn(all.map((uri) => [...add, uri])))
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining("is a volume of this program itself")]);
  });
});

describe("without a local appliance", () => {
  test("a volume is not added, that is said soon, and nothing is left of it", async () => {
    const folder = temporaryFolder();
    const data = join(folder, "data");
    await (await RunningProgram.start("remote", data, "--set", "wire.port=0")).program.stop();
    const interceptor = await RunningProgram.start("interceptor", data);
    const line = ["volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "1M"];
    const { exitCode, stdout, stderr } = await interceptor.typed(...line);
    expect([exitCode, stdout, stderr]).toEqual([
      1,
      "",
      `tidemark: volume 'disk' is not added: the local appliance is not there (nothing listens on ${data}/local.sock): ` +
        "'tidemark local' starts it\n",
    ]);
    expect([existsSync(join(folder, "disk.img")), (await interceptor.status()).volumes]).toEqual([false, []]);
    await RunningProgram.start("local", data, "--set", `remote.address=${join(folder, "nobody")}`);
    expect(await interceptor.asked(...line)).toMatchObject({ state: "open" });
  });
});
