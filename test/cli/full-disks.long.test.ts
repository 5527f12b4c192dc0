/** Appliances on file systems of their own that have no room for what hosts write. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { KiB, MiB } from "#src/core/limits.ts";
import { succeed } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

needPrograms("mount", "umount");

const pieceBytes = 256 * KiB;

/** A volume that is protected, one of whose appliances has so much room. */
async function protectedOn(role: "local" | "remote", sizeMiB: number, ...settings: readonly string[]) {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  const small = join(folder, "small");
  for (const path of [data, small]) mkdirSync(path);
  await succeed("mount", ["-t", "tmpfs", "-o", `size=${sizeMiB}M`, "none", small]);
  onTestFinished(async () => void (await succeed("umount", ["--lazy", small])));
  symlinkSync(small, join(data, role));
  const up = await RunningProgram.start("up", data, ...settings);
  const add = ["volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "64M"];
  const { uris } = (await up.asked(...add)) as VolumeReport;
  const client = await openVolume(uris[0] as string);
  const filler = join(small, "filler");
  const group = async () => {
    const { groups, remoteGroups } = await up.status();
    return { here: groups[0], there: remoteGroups[0] };
  };
  return { up, client, group, fill: () => fillWith(filler), makeRoom: () => rmSync(filler) };
}

/** All the room that there is. */
function fillWith(path: string): void {
  const piece = Buffer.alloc(pieceBytes, 1);
  for (;;) {
    try {
      writeFileSync(path, piece, { flag: "a" });
    } catch (error) {
      expect(error).toMatchObject({ code: "ENOSPC" });
      return;
    }
  }
}

type Client = Awaited<ReturnType<typeof openVolume>>;

function writes(client: Client, count: number): Promise<void>[] {
  return Array.from({ length: count }, (_, at) => client.write(at * pieceBytes, Buffer.alloc(pieceBytes, at + 1)));
}

async function expectWritten(client: Client, count: number): Promise<void> {
  for (const at of [0, count >> 1, count - 1]) expect((await client.read(at * pieceBytes, 4096))[0]).toBe(at + 1);
}

test("fault 15: while the disk of the spool is full writes wait, reads go on, and all goes on when there is room", async () => {
  const spool = ["--set", "local.spool.segment=4M", "--set", "modes.overflow=stall"];
  const { up, client, group, fill, makeRoom } = await protectedOn("local", 32, ...spool);
  await client.write(0, Buffer.alloc(4096, 7));
  fill();
  const written = writes(client, 64);
  await whenSeen(async () => {
    const why = expect.stringContaining("the spool's disk is full: writes wait until there is room") as string;
    expect((await group()).here).toMatchObject({ state: "stalled", why });
  });
  expect((await up.typed("status")).stdout).toContain("not ready: ");
  expect((await client.read(60 * MiB, 4096))[0]).toBe(0);
  makeRoom();
  await Promise.all(written);
  await client.flush();
  await expectWritten(client, 64);
  await up.whenAllArrived();
  await client.disconnect();
});

test.each([
  ["degrade", "suspended"],
  ["stall", "stalled"],
] as const)(
  "faults 16 and 22: while the disk of the remote is full sync does what its policy says (%s)",
  async (policy, state) => {
    const links = ["--set", `modes.linkLoss=${policy}`, "--set", "modes.degradeAfterSeconds=0"];
    const { client, group, fill, makeRoom } = await protectedOn("remote", 48, "--set", "modes.default=sync", ...links);
    await client.write(0, Buffer.alloc(4096, 7));
    await whenSeen(async () => expect((await group()).here).toMatchObject({ mode: "sync", state: "steady" }));
    fill();
    const written = writes(client, 64);
    await whenSeen(async () => {
      const { here, there } = await group();
      expect([here?.state, there?.state]).toEqual([state, "full"]);
      expect(here?.lagSeconds).toBeGreaterThan(0);
      expect(here?.why).toContain("no room");
    });
    if (policy === "degrade") {
      await Promise.all(written);
      await client.flush();
    }
    makeRoom();
    await Promise.all(written);
    await client.flush();
    await expectWritten(client, 64);
    await whenSeen(async () => {
      expect((await group()).here).toMatchObject({ mode: "sync", state: "steady", lagRecords: 0 });
    });
    await client.disconnect();
  },
);
