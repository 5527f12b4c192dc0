/** All roles in one process, from the first volume to the start after the last stop, with the commands as they are typed. */
import { linkSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { GroupFacts, TraceEntry } from "#src/control/role.ts";
import { run } from "#test/clients/command.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { onceForFile } from "#test/once-for-file.ts";
import { Program } from "#test/oracle/program.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import type { LineAnswer } from "./lines-in-turn.ts";
import { launcher, RunningProgram } from "./running-program.ts";
import { typedInTurn } from "./typed-in-turn.ts";

const block = Buffer.alloc(4096, "tidemark");

async function withVolume(folder: string, ...more: readonly string[]) {
  return withVolumeOf(await RunningProgram.start("up", join(folder, "data"), ...more), folder);
}

async function withVolumeOf(up: RunningProgram, folder: string) {
  const source = join(folder, "disk.img");
  const volume = (await up.asked("volume", "add", "disk", "--source", source, "--size", "1M")) as VolumeReport;
  return { up, volume, source };
}

/** For tests that only look, or are refused. */
const shared = onceForFile(async (outlast) => {
  const folder = temporaryFolder(outlast);
  const up = await RunningProgram.startFor(outlast, "up", join(folder, "data"));
  return { folder, ...(await withVolumeOf(up, folder)) };
});

async function read(uri: string | undefined): Promise<Buffer> {
  const client = await openVolume(uri as string);
  const bytes = await client.read(4096, block.length);
  await client.disconnect();
  return bytes;
}

describe("a volume of a program that runs", () => {
  test("is added, written, switched, looked at, kept over a stop, and removed", async () => {
    const folder = temporaryFolder();
    const { up, volume, source } = await withVolume(folder);
    expect(volume).toMatchObject({ name: "disk", group: "disk", sizeBytes: 2 ** 20, state: "open", source });
    await up.got("/api/v1/volumes/disk/trace");
    const client = await openVolume(volume.uris[0] as string);
    await client.write(4096, block);
    await client.flush();
    expect(readFileSync(source).subarray(4096, 8192).equals(block)).toBe(true);
    expect((await up.asked("mode", "disk", "sync")) as GroupFacts).toMatchObject({ wantedMode: "sync" });
    await whenSeen(async () => expect((await up.status()).groups).toMatchObject([{ mode: "sync" }]));
    await client.write(8192, block);
    await client.flush();
    expect(await up.status()).toMatchObject({
      ready: true,
      volumes: [{ connections: 1, writes: 2, flushes: 2, added: 2 }],
      groups: [{ lagRecords: 0, linkUp: true }],
      remoteGroups: [{ name: "disk" }],
      counters: { writes_total: 2, write_bytes_total: 8192 },
    });
    const { body } = await up.got("/api/v1/volumes/disk/trace");
    const { entries } = body as { readonly entries: readonly TraceEntry[] };
    expect(entries.map(({ kind, offsetBytes }) => [kind, offsetBytes])).toEqual([
      ["write", 4096],
      ["write", 8192],
    ]);
    expect(Object.keys(entries[1]?.steps ?? {})).toEqual([
      ...["acknowledged", "sourceWritten", "replied", "received", "durable"],
    ]);
    await client.disconnect();
    await up.program.stop();

    const again = await RunningProgram.start("up", join(folder, "data"));
    await whenSeen(async () => expect((await again.got("/readyz")).status).toBe(200));
    const { volumes, groups } = await again.status();
    expect([volumes.length, volumes[0]?.state, groups[0]?.mode]).toEqual([1, "open", "sync"]);
    expect((await read(volumes[0]?.uris[0])).equals(block)).toBe(true);
    await again.asked("volume", "rm", "disk", "--confirm", "disk");
    expect((await again.status()).volumes).toEqual([]);
    await expect(openVolume(volumes[0]?.uris[0] as string)).rejects.toThrow();
    expect(readFileSync(source).subarray(4096, 8192).equals(block)).toBe(true);
    await again.program.stop();
  });

  test("is told of in tables for people", async () => {
    const { up } = await shared();
    expect((await up.typed("volume", "ls")).stdout).toMatch(/^VOLUME .*\ndisk +disk +open +1\.0 MiB +0 .*nbd:/);
    const status = /ready\n\nVOLUME .*\ndisk .*\n\nGROUP .*\ndisk +1 +async +steady/;
    await whenSeen(async () => expect((await up.typed("status")).stdout).toMatch(status));
    expect((await up.typed("mode", "disk", "async")).stdout).toBe("disk is in async\n");
  });

  test("is dumped record by record, from the spool and from the journal", async () => {
    const folder = temporaryFolder();
    const { up, volume } = await withVolume(folder);
    const client = await openVolume(volume.uris[0] as string);
    await client.write(4096, block);
    await client.flush();
    await client.disconnect();
    await up.asked("mode", "disk", "sync");
    await whenSeen(async () => expect((await up.status()).groups).toMatchObject([{ mode: "sync" }]));
    for (const [kind, role] of [
      ["spool", "local"],
      ["journal", "remote"],
    ] as const) {
      for (const place of [join(folder, "data"), join(folder, "data", role)]) {
        const { stdout } = await run(process.execPath, [launcher, "dump", kind, place, "--json"]);
        const items = stdout
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        const types = items.flatMap((item) => (item.kind === "record" ? [item.type] : []));
        expect(types).toEqual(["volume", "write", "flush", "mode"]);
      }
    }
  });
});

test("a dump whose reader has read enough ends without a word", async () => {
  const folder = temporaryFolder();
  const { up, volume } = await withVolume(folder);
  const client = await openVolume(volume.uris[0] as string);
  await Promise.all(Array.from({ length: 4000 }, () => client.write(0, block)));
  await client.flush();
  await client.disconnect();
  const dump = `${process.execPath} ${launcher} dump spool ${join(folder, "data")}`;
  const { stdout, stderr } = await run("bash", ["-c", `${dump} | head -n 1; echo "\${PIPESTATUS[0]}"`]);
  expect([stdout.trim().split("\n").at(-1), stderr]).toEqual(["0", ""]);
  await up.program.stop();
});

describe("what is refused", () => {
  test("is said in one line, with status 1", async () => {
    const { up } = await shared();
    const cases: readonly (readonly [readonly string[], string])[] = [
      [["volume", "add", "disk", "--source", "/dev/null"], "there is a volume 'disk' already"],
      [["volume", "add", "..", "--source", "/dev/null"], "a volume's name has"],
      [["volume", "add", "other", "--source", "/nonexistent/disk"], "there is no such file"],
      [["volume", "add", "other", "--source", "/dev/null"], "tidemark: /dev/null is neither a file nor a block device"],
      [
        ["volume", "add", "other", "--source", "/nonexistent/disk", "--size", "1M"],
        "/nonexistent/disk could not be made: there is no folder /nonexistent",
      ],
      [["volume", "add", "other", "--source", "/dev/null/a"], "/dev/null/a: a part of the path is a file"],
      [["volume", "add", "other", "--source", "/dev/null/a", "--size", "1M"], "a part of the path is a file"],
      [["volume", "add", "other", "--source", "nbd+unix:///?socket=/nonexistent"], "no connection to /nonexistent"],
      [["volume", "rm", "dsik"], "there is no volume 'dsik'; did you mean 'disk'?"],
      [["volume", "rm", ".."], "there is no volume '%2e%2e'"],
      [["mode", "none", "sync"], "there is no group 'none'"],
      [["volume", "unfence", "none"], "there is no volume 'none'"],
      [["volume", "unfence", "disk"], "the volume disk is not fenced: it is open"],
      [["trace", "none"], "there is no volume 'none'"],
    ];
    const answers = await typedInTurn(cases.map(([line]) => [...line, "--api", up.api]));
    for (const [index, [line, message]] of cases.entries()) {
      const { exitCode, stdout, stderr } = answers[index] as LineAnswer;
      expect([line, exitCode, stdout, stderr.split("\n").length]).toEqual([line, 1, "", 2]);
      expect(stderr).toContain(message);
    }
    expect((await up.status()).volumes).toHaveLength(1);
  });

  test("a source that is protected already, under another name", async () => {
    const { up, source } = await shared();
    for (const size of [[], ["--size", "2M"]]) {
      const { stderr } = await up.typed("volume", "add", "other", "--source", source, ...size);
      expect(stderr).toContain("is protected already, as volume 'disk'");
    }
    linkSync(source, `${source}.link`);
    const linked = ["--source", `${source}.link`];
    expect((await up.typed("volume", "add", "other", ...linked)).stderr).toContain("in use by another program");
    const { stderr } = await up.typed("volume", "add", "other", ...linked, "--size", "2M");
    expect(stderr).toContain("is there already");
  });

  test("fault 38: a second process on the same data, until the first one is killed", async () => {
    const folder = temporaryFolder();
    const { up } = await withVolume(folder);
    for (const command of ["up", "remote"]) {
      const line = [launcher, command, "--data", join(folder, "data"), "--set", "http.port=0"];
      const { exitCode, stderr } = await run(process.execPath, line);
      expect([exitCode, stderr.split("\n").length]).toEqual([1, 2]);
      expect(stderr).toMatch(/is in use by process \d+: two would damage each other's data/);
    }
    await up.program.kill();
    const again = await RunningProgram.start("up", join(folder, "data"));
    await whenSeen(async () => expect((await again.status()).volumes).toMatchObject([{ state: "open" }]));
  });

  test("fault 18: a catalogue with a flipped bit: the program does not start, and says where", async () => {
    const folder = temporaryFolder();
    const { up } = await withVolume(folder);
    await up.program.stop();
    const path = join(folder, "data/interceptor/volumes.json");
    const bytes = readFileSync(path);
    const at = bytes.indexOf("disk");
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path, bytes);
    const { exitCode, stderr } = await run(process.execPath, [launcher, "up", "--data", join(folder, "data")]);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`${path} is damaged`)]);
  });

  test("an API that is none, or is spoken to in another way", async () => {
    const { up, volume } = await shared();
    const nbd = new URL(volume.uris[0] as string).host;
    expect((await up.typed("status", "--api", `http://${nbd}`)).stderr).toMatch(/is no control API\n$/);
    const { stderr } = await up.typed("status", "--api", up.api.replace("http:", "https:"));
    expect([stderr.split("\n").length, stderr]).toEqual([2, expect.stringContaining("speaks no TLS")]);
  });

  test("an API port that is taken", async () => {
    const { up, folder } = await shared();
    const { port } = new URL(up.api);
    const line = [launcher, "up", "--data", join(folder, "other"), "--set", `http.port=${port}`, "--set", "nbd.port=0"];
    const { exitCode, stderr } = await run(process.execPath, line);
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining(`cannot listen on 127.0.0.1:${port} for commands: it is in use`),
    ]);
  });
});

describe("bad days", () => {
  test("a volume whose source is gone is shown with the reason, and opens when it is back", async () => {
    const folder = temporaryFolder();
    const { up, source } = await withVolume(folder);
    await up.program.stop();
    const content = readFileSync(source);
    writeFileSync(source, "");
    const again = await RunningProgram.start("up", join(folder, "data"));
    await whenSeen(async () => {
      const { volumes, ready } = await again.status();
      expect([volumes[0]?.state, volumes[0]?.why, ready]).toEqual([
        "opening",
        expect.stringContaining("0 bytes"),
        false,
      ]);
    });
    writeFileSync(source, content);
    await whenSeen(async () => expect((await again.status()).volumes).toMatchObject([{ state: "open" }]));
  });

  test("fault 17: while an I/O thread is held up by a disk, the API answers with what is known, and for how long", async () => {
    // The spool's disk stands still at the first write of the host; what is before it is the volume's own record.
    const { up, volume } = await withVolume(temporaryFolder(), "--set", "faults=local.before-spool=delay:6000@2");
    const client = await openVolume(volume.uris[0] as string);
    const written = client.write(0, block);
    const status = await whenSeen(async () => {
      const report = await up.status();
      expect(report.silent).toMatchObject([{ side: "local" }]);
      return report;
    });
    expect(status).toMatchObject({ ready: false, volumes: [{ name: "disk", state: "open" }] });
    expect(status.why).toMatch(/^the local side has not answered for \d+ s$/);
    expect((await up.got("/healthz")).status).toBe(200);
    expect((await up.got("/readyz")).status).toBe(503);
    expect((await up.typed("status")).stdout).toContain("it may be held up by a disk");
    await written;
    await whenSeen(async () => expect((await up.status()).ready).toBe(true));
    await client.disconnect();
    await up.program.stop();
  });
});

describe("the demo", () => {
  test("starts with a volume that is there the next time too", async () => {
    const folder = temporaryFolder();
    for (const time of [1, 2]) {
      const demo = await RunningProgram.start("demo", join(folder, "var"));
      const [volume] = (await demo.status()).volumes;
      expect([time, volume?.name, volume?.sizeBytes]).toEqual([time, "demo", 2 ** 30]);
      await demo.program.stop();
    }
  });
});

test("people are told where everything is, and what to do next", async () => {
  const data = join(temporaryFolder(), "data");
  const ports = ["--set", "http.port=0", "--set", "nbd.port=0"];
  const up = new Program("up", [process.execPath, launcher, "up", "--data", data, ...ports]);
  const next = await up.line((line) => line.startsWith("No volumes yet."));
  expect(next).toMatch(/In another terminal: tidemark volume add NAME --source PATH --size 10G --api http:\S+\d$/);
  expect(up.lines.slice(0, 3)).toEqual([
    expect.stringMatching(/^tidemark \S+ runs \(interceptor, local, remote\); data in \//),
    expect.stringMatching(/^ {2}API {3}http:\/\/127\.0\.0\.1:\d+$/),
    expect.stringMatching(/^ {2}NBD {3}nbd:\/\/127\.0\.0\.1:\d+\/$/),
  ]);
  await up.stop();
});
