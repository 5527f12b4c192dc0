/** Volumes as block devices of this machine, as a user attaches them: nbdfuse and a loop device, a file system on top. */
import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Attachment } from "#src/cli/attach/attachment.ts";
import { attachObstacle } from "#test/clients/attached-disk.ts";
import { run, succeed } from "#test/clients/command.ts";
import { needPrograms, skipWhere } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { whenSeen } from "#test/patience.ts";
import { launcher, RunningProgram } from "./running-program.ts";

needPrograms("nbdfuse", "fusermount3", "losetup", "mkfs.ext4", "mount", "umount");
skipWhere(attachObstacle);

class Machine {
  readonly folder = temporaryFolder();
  readonly mountedAt = join(this.folder, "mnt");
  readonly attached = join(this.folder, "attached");
  readonly up: RunningProgram;

  constructor(up: RunningProgram) {
    this.up = up;
    onTestFinished(async () => {
      if (existsSync(join(this.attached, "disk"))) await this.typed("detach", "disk", "--force");
    });
  }

  static async start(): Promise<Machine> {
    const up = await RunningProgram.start("up", join(temporaryFolder(), "data"));
    const machine = new Machine(up);
    await up.asked("volume", "add", "disk", "--source", join(machine.folder, "disk.img"), "--size", "64M");
    return machine;
  }

  async typed(...line: readonly string[]) {
    const api = line[0] === "detach" || line[1] === "ls" ? [] : ["--api", this.up.api];
    const environment = { TIDEMARK_ATTACHED: this.attached };
    return run(process.execPath, [launcher, ...line, ...api], { environment });
  }

  async attach(...more: readonly string[]): Promise<Attachment> {
    const { exitCode, stdout, stderr } = await this.typed("attach", "disk", "--client", "fuse", "--json", ...more);
    expect(exitCode, stderr).toBe(0);
    return JSON.parse(stdout) as Attachment;
  }

  /** Nothing is left of it: no mount, no loop device, no process. */
  expectNothingLeft({ device = "" }: Attachment): void {
    const mounts = readFileSync("/proc/self/mounts", "utf8");
    expect(mounts).not.toContain(this.mountedAt);
    expect(mounts).not.toContain(this.attached);
    expect(backingFileOf(device)).not.toContain(this.attached);
    expect(readdirSync(this.attached)).toEqual([]);
  }
}

/** Nothing for a device that has none; by now it may be somebody else's. */
function backingFileOf(device: string): string {
  try {
    return readFileSync(`/sys/block/${device.replace("/dev/", "")}/loop/backing_file`, "utf8");
  } catch {
    return "";
  }
}

test("a volume is attached with a file system, detached, and found again as it was", async () => {
  const machine = await Machine.start();
  const first = await machine.attach("--mkfs", "ext4", "--mount", machine.mountedAt);
  expect(first.device).toMatch(/^\/dev\/loop\d+$/);
  writeFileSync(join(machine.mountedAt, "letter"), "dear reader");
  expect((await machine.typed("attach", "disk")).stderr).toContain("disk is attached already");
  expect((await machine.typed("attach", "ls")).stdout).toContain(machine.mountedAt);
  expect(await machine.typed("detach", "disk")).toMatchObject({ exitCode: 0, stdout: "disk is detached\n" });
  machine.expectNothingLeft(first);

  const again = await machine.typed("attach", "disk", "--client", "fuse", "--mkfs", "ext4");
  expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("nothing is made there") });
  const second = await machine.attach("--mount", machine.mountedAt);
  expect(readFileSync(join(machine.mountedAt, "letter"), "utf8")).toBe("dear reader");
  await machine.typed("detach", "disk");
  machine.expectNothingLeft(second);
});

test("a view is attached like a volume, and one that cannot be written cannot be", async () => {
  const machine = await Machine.start();
  await machine.attach("--mkfs", "ext4", "--mount", machine.mountedAt);
  writeFileSync(join(machine.mountedAt, "letter"), "dear reader");
  await machine.typed("detach", "disk");
  await machine.up.asked("mark", "disk", "--name", "written");
  await machine.up.asked("view", "open", "disk@mark:written", "--name", "then");
  const { stdout } = await machine.typed("attach", "then", "--client", "fuse", "--mount", machine.mountedAt, "--json");
  const view = JSON.parse(stdout) as Attachment;
  onTestFinished(async () => void (await machine.typed("detach", "then", "--force")));
  expect(readFileSync(join(machine.mountedAt, "letter"), "utf8")).toBe("dear reader");
  expect(() => writeFileSync(join(machine.mountedAt, "letter"), "")).toThrow("EROFS");
  expect((await machine.typed("detach", "then")).exitCode).toBe(0);
  machine.expectNothingLeft(view);
});

test("what an attach has left that was killed on its way is detached, or attached anew", async () => {
  const machine = await Machine.start();
  const facts = join(machine.attached, "disk/attachment.json");
  const cutShort = ({ name, uri, client }: Attachment): void => {
    const gone = spawnSync("true").pid;
    writeFileSync(facts, JSON.stringify({ name, uri, client, by: gone }));
  };
  const first = await machine.attach("--mkfs", "ext4");
  cutShort(first);
  const second = await machine.attach("--mount", machine.mountedAt);
  expect(JSON.parse(readFileSync(facts, "utf8"))).toEqual(second);
  await succeed("umount", [machine.mountedAt]);
  cutShort(second);
  expect(await machine.typed("detach", "disk")).toMatchObject({ exitCode: 0, stdout: "disk is detached\n" });
  machine.expectNothingLeft(second);
});

/** A process whose working folder is there. */
async function userOf(folder: string): Promise<() => void> {
  const user = spawn("sleep", ["600"], { cwd: folder });
  onTestFinished(() => void user.kill());
  await whenSeen(() => expect(existsSync(`/proc/${user.pid}/cwd`)).toBe(true));
  return () => void user.kill();
}

test("what is in use stays attached, unless it is forced away", async () => {
  const machine = await Machine.start();
  const attached = await machine.attach("--mkfs", "ext4", "--mount", machine.mountedAt);
  const end = await userOf(machine.mountedAt);
  expect(await machine.typed("detach", "disk")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining(`${machine.mountedAt} is in use; end what uses it`),
  });
  expect(existsSync(join(machine.mountedAt, "lost+found"))).toBe(true);
  expect((await machine.typed("detach", "disk", "--force")).exitCode).toBe(1);
  end();
  await whenSeen(() => machine.expectNothingLeft(attached));
});

test("what a detach was refused is attached anew when nobody uses it any more, and not before", async () => {
  const machine = await Machine.start();
  await machine.attach("--mkfs", "ext4", "--mount", machine.mountedAt);
  const other = join(machine.folder, "other");
  mkdirSync(other);
  const end = await userOf(machine.mountedAt);
  // Taken away before the one that is in use.
  await succeed("mount", ["--bind", machine.mountedAt, other]);
  expect((await machine.typed("detach", "disk")).stderr).toContain(`${machine.mountedAt} is in use; end what uses it`);
  expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(other);
  const line = ["attach", "disk", "--client", "fuse", "--mount", machine.mountedAt];
  expect(await machine.typed(...line)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(
      /^tidemark: disk is attached still, since \S+ is in use; end what uses it, .*'tidemark detach disk --force'.*\n$/,
    ),
  });
  writeFileSync(join(machine.mountedAt, "letter"), "dear reader");
  end();
  const again = await whenSeen(async () => {
    const typed = await machine.typed(...line, "--json");
    expect(typed.exitCode, typed.stderr).toBe(0);
    return JSON.parse(typed.stdout) as Attachment;
  });
  expect(readFileSync(join(machine.mountedAt, "letter"), "utf8")).toBe("dear reader");
  expect((await machine.typed("detach", "disk")).exitCode).toBe(0);
  machine.expectNothingLeft(again);
});

test("a device that was held open when it was detached goes later, and is attached again", async () => {
  const machine = await Machine.start();
  const { device = "" } = await machine.attach("--mkfs", "ext4");
  const descriptor = openSync(device, "r");
  expect((await machine.typed("detach", "disk", "--within", "1")).stderr).toContain("is held open by a program");
  closeSync(descriptor);
  // It went by itself; what is behind it is still there, and whoever has the device now keeps it.
  await whenSeen(() => expect(backingFileOf(device)).toBe(""));
  writeFileSync(join(machine.folder, "others"), Buffer.alloc(1024 * 1024));
  const { stdout } = await succeed("losetup", ["--find", "--show", join(machine.folder, "others")]);
  onTestFinished(async () => void (await run("losetup", ["--detach", stdout.trim()])));
  const again = await machine.attach("--mount", machine.mountedAt);
  expect(backingFileOf(stdout.trim())).toContain("others");
  expect((await machine.typed("detach", "disk")).exitCode).toBe(0);
  machine.expectNothingLeft(again);
});

test.each(["freeze", "kill"] as const)(
  "%s the server under a mounted volume: detach ends, and says what is lost",
  async (how) => {
    const machine = await Machine.start();
    const attached = await machine.attach("--mkfs", "ext4", "--mount", machine.mountedAt);
    if (how === "freeze") machine.up.program.freeze();
    else await machine.up.program.kill();
    writeFileSync(join(machine.mountedAt, "letter"), "never to arrive");
    const detached = await machine.typed("detach", "disk", "--within", "2");
    expect(detached).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("disk was cut off: ") });
    expect(detached.stderr).toContain("not synced is lost");
    // What the kernel still had to fail may take it a moment.
    await whenSeen(() => machine.expectNothingLeft(attached));
  },
);

test("a user who is not root gets a file", async () => {
  const machine = await Machine.start();
  const attached = await machine.attach("--file");
  expect(attached.device).toBeUndefined();
  expect(readFileSync(attached.file as string).length).toBe(64 * 1024 * 1024);
  expect((await machine.typed("detach", "disk")).exitCode).toBe(0);
  machine.expectNothingLeft(attached);
});

test("an attach that comes to nothing leaves nothing", async () => {
  const machine = await Machine.start();
  mkdirSync(join(machine.folder, "broken"));
  writeFileSync(join(machine.folder, "file"), "");
  const line = ["attach", "disk", "--client", "fuse", "--mount", join(machine.folder, "file", "under")];
  const { exitCode, stderr } = await machine.typed(...line);
  expect(exitCode, stderr).toBe(1);
  expect(readdirSync(machine.attached)).toEqual([]);
  expect((await machine.typed("attach", "nobody")).stderr).toContain("there is no volume and no view 'nobody'");
});
