/** A volume gets another size, as its owner does it and as a host's programs see it. */
import { readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { MiB } from "#src/core/limits.ts";
import { run, succeed } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { JournalReplay } from "#test/oracle/journal-replay.ts";
import { typeNumber } from "#test/oracle/log-file-reader.ts";
import { differences } from "#test/oracle/source-comparison.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

needPrograms("nbdinfo", "qemu-io", "qemu-nbd");

async function started(...settings: readonly string[]) {
  const folder = temporaryFolder();
  const source = join(folder, "disk.img");
  const up = await RunningProgram.start("up", join(folder, "data"), ...settings);
  const { uris } = (await up.asked("volume", "add", "disk", "--source", source, "--size", "4M")) as VolumeReport;
  return { folder, source, up, uri: uris[0] as string };
}

/** The sizes that the journals tell of, in MiB, in their order. */
function sizesIn(folder: string): number[] {
  using replay = new JournalReplay({ remote: join(folder, "data/remote") });
  return replay.records
    .filter(({ type }) => type === typeNumber.resize)
    .map(({ extra }) => Number(extra?.sizeBytes) / MiB);
}

function expectEqual(folder: string, source: string): void {
  using replay = new JournalReplay({ remote: join(folder, "data/remote"), local: join(folder, "data/local") });
  expect(differences(source, replay, replay.volumeNumber("disk"))).toEqual([]);
}

test("a volume grows while a host has it, who finds the new size when he comes again, and what he wrote", async () => {
  const { folder, source, up, uri } = await started();
  const client = await openVolume(uri);
  await client.write(MiB, Buffer.alloc(MiB, 7));
  const grown = (await up.asked("volume", "resize", "disk", "16M")) as VolumeReport;
  expect(grown).toMatchObject({ sizeBytes: 16 * MiB, state: "open", baseMissing: false });
  await expect(client.read(0, 4096)).rejects.toThrow();
  expect(JSON.parse((await succeed("nbdinfo", ["--json", uri])).stdout).exports[0]["export-size"]).toBe(16 * MiB);
  await succeed("qemu-io", ["-f", "raw", uri, "-c", "read -P 7 1M 1M", "-c", "write -P 9 15M 1M", "-c", "flush"]);
  expect(statSync(source).size).toBe(16 * MiB);
  expect((await up.typed("volume", "ls")).stdout).toMatch(/disk .* 16\.0 MiB/);
  await up.program.stop();
  expect(sizesIn(folder)).toEqual([16]);
  expectEqual(folder, source);
  const again = await RunningProgram.start("up", join(folder, "data"));
  const { volumes } = await again.status();
  expect(volumes).toMatchObject([{ sizeBytes: 16 * MiB }]);
});

test("a volume is made smaller only by name and while nobody has it, and older points keep what it had", async () => {
  const { folder, source, up, uri } = await started();
  const client = await openVolume(uri);
  await client.write(3 * MiB, Buffer.alloc(MiB, 5));
  await client.flush();
  const shrink = ["volume", "resize", "disk", "2M"];
  const unnamed = await up.typed(...shrink);
  expect([unnamed.exitCode, unnamed.stderr]).toEqual([
    1,
    expect.stringContaining("--confirm disk says that this is meant"),
  ]);
  const attached = await up.typed(...shrink, "--confirm", "disk");
  expect([attached.exitCode, attached.stderr]).toEqual([1, expect.stringContaining("detach it from its hosts")]);
  expect((await client.read(3 * MiB, 4096))[0]).toBe(5);
  await client.disconnect();
  expect(await up.asked(...shrink, "--confirm", "disk")).toMatchObject({ sizeBytes: 2 * MiB, state: "open" });
  expect(statSync(source).size).toBe(2 * MiB);
  expect(await up.asked("volume", "resize", "disk", "4M")).toMatchObject({ sizeBytes: 4 * MiB });
  await succeed("qemu-io", ["-f", "raw", uri, "-c", "read -P 0 2M 2M", "-c", "write -P 6 3M 64k", "-c", "flush"]);
  await up.program.stop();
  expect(sizesIn(folder)).toEqual([2, 4]);
  expectEqual(folder, source);
  using replay = new JournalReplay({ remote: join(folder, "data/remote") });
  const shrunk = replay.records.find(({ type }) => type === typeNumber.resize)?.seq as number;
  const contentAt = (seq: number) => replay.contentOf(1, seq).get((3 * MiB) / 4096);
  const before = contentAt(shrunk - 1);
  expect([replay.sizeOf(1, shrunk - 1), before && replay.bytesOf(before)[0]]).toEqual([4 * MiB, 5]);
  expect([replay.sizeOf(1, shrunk), contentAt(shrunk)]).toEqual([2 * MiB, undefined]);
});

test("what cannot be is refused in a line that says what to do, and the volume is as it was", async () => {
  const { source, up, uri } = await started();
  const refused = async (size: string, ...more: readonly string[]): Promise<string> => {
    const { exitCode, stderr } = await up.typed("volume", "resize", "disk", size, ...more);
    expect([exitCode, stderr.split("\n").length]).toEqual([1, 2]);
    return stderr;
  };
  expect(await refused("2000001", "--confirm", "disk")).toContain("must be a multiple of 4096");
  expect((await up.typed("volume", "resize", "other", "8M")).stderr).toContain("there is no volume 'other'");
  expect((await up.typed("volume", "resize", "disk")).exitCode).toBe(2);
  expect(await up.asked("volume", "resize", "disk", "4M")).toMatchObject({ sizeBytes: 4 * MiB });
  truncateSync(source, 5 * MiB);
  expect(await refused("8M")).toContain("neither the 4194304 of the volume nor 8388608");
  truncateSync(source, 4 * MiB);
  expect(await up.asked("volume", "ls")).toMatchObject({ volumes: [{ sizeBytes: 4 * MiB, state: "open" }] });
  await succeed("qemu-io", ["-f", "raw", uri, "-c", "write -P 9 3M 1M", "-c", "flush"]);
});

test("an export of another server must have the size before, and what it then holds behind the former end is copied", async () => {
  const folder = temporaryFolder();
  const backing = join(folder, "backing.img");
  const socket = join(folder, "source.sock");
  await succeed("truncate", ["-s", "4M", backing]);
  const serve = () =>
    run("qemu-nbd", ["--fork", "-f", "raw", "-t", "-e", "4", "-k", socket, "--pid-file", `${socket}.pid`, backing]);
  await serve();
  const up = await RunningProgram.start("up", join(folder, "data"));
  await up.asked("volume", "add", "disk", "--source", `nbd+unix:///?socket=${socket}`);
  const early = await up.typed("volume", "resize", "disk", "8M");
  expect([early.exitCode, early.stderr]).toEqual([
    1,
    expect.stringContaining("is an export of another server and has 4194304 bytes: give it 8388608"),
  ]);
  expect(await up.asked("volume", "ls")).toMatchObject({ volumes: [{ sizeBytes: 4 * MiB, state: "open" }] });
  const stopServer = () => process.kill(Number(readFileSync(`${socket}.pid`, "utf8")));
  const enlarge = async (mebibytes: number) => {
    stopServer();
    await succeed("truncate", ["-s", `${mebibytes}M`, backing]);
    await succeed("qemu-io", ["-f", "raw", backing, "-c", `write -P ${mebibytes} ${mebibytes - 1}M 1M`]);
    await serve();
  };
  const expectCopied = async (program: RunningProgram, mebibytes: number): Promise<void> => {
    const resized = (await program.asked("volume", "resize", "disk", `${mebibytes}M`)) as VolumeReport;
    expect(resized).toMatchObject({ sizeBytes: mebibytes * MiB, state: "open" });
    await whenSeen(async () => expect((await program.status()).volumes[0]?.baseMissing).toBe(false));
    const read = `read -P ${mebibytes} ${mebibytes - 1}M 1M`;
    await succeed("qemu-io", ["-f", "raw", resized.uris[0] as string, "-c", read]);
    await program.program.stop();
    expectEqual(folder, backing);
  };
  await enlarge(8);
  await expectCopied(up, 8);
  await enlarge(12);
  // Where that was done without this program, the volume cannot be opened, and says what helps.
  const again = await RunningProgram.start("up", join(folder, "data"));
  const why = async () => (await again.status()).volumes[0]?.why;
  await whenSeen(async () => expect(await why()).toContain("volume resize disk 12582912"));
  await expectCopied(again, 12);
  stopServer();
});
