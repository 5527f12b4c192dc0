/** A volume that hosts use is not taken from them without being told to. */
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { onceForFile } from "#test/once-for-file.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { RunningProgram } from "./running-program.ts";

const program = onceForFile(async (outlast) => {
  const folder = temporaryFolder(outlast);
  return { folder, up: await RunningProgram.startFor(outlast, "up", join(folder, "data")) };
});

/** Each test has one of its own, for none of the others is concerned by it. */
async function usedVolume(name: string) {
  const { folder, up } = await program();
  const source = join(folder, `${name}.img`);
  const volume = (await up.asked("volume", "add", name, "--source", source, "--size", "1M")) as VolumeReport;
  const there = async (): Promise<readonly VolumeReport[]> =>
    (await up.status()).volumes.filter((one) => one.name === name);
  return { up, there, client: await openVolume(volume.uris[0] as string) };
}

test("a volume in use is removed only with --force", async () => {
  const { up, there, client } = await usedVolume("disk");
  const line = ["volume", "rm", "disk", "--confirm", "disk"];
  const { exitCode, stdout, stderr } = await up.typed(...line);
  expect([exitCode, stdout, stderr.split("\n").length]).toEqual([1, "", 2]);
  expect(stderr).toContain("volume 'disk' is in use, by a host's connection: detach it there, or use --force");
  await client.write(0, Buffer.alloc(4096, 1));
  expect(await up.typed(...line, "--force")).toMatchObject({ exitCode: 0, stderr: "" });
  await expect(client.write(0, Buffer.alloc(4096, 1))).rejects.toThrow();
  expect(await there()).toEqual([]);
});

test.each([
  [[], "silent"],
  [["--confirm", "disc"], "misnamed"],
  [["--force"], "forced"],
] as const)(
  "fault 39: the protection of a volume is not ended by %j, without its name once more",
  async (options, name) => {
    const { up, there, client } = await usedVolume(name);
    await client.disconnect();
    const { exitCode, stderr } = await up.typed("volume", "rm", name, ...options);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`volume '${name}' would not be protected any more`);
    expect(stderr).toContain(`--confirm ${name} says that this is meant`);
    expect(await there()).toHaveLength(1);
  },
);

test("the API asks for the same, and refuses what it does not know", async () => {
  const { up, there } = await usedVolume("asked");
  const remove = async (query: string): Promise<number> =>
    (await fetch(`${up.api}/api/v1/volumes/asked${query}`, { method: "DELETE" })).status;
  expect(await remove("?confirm=asked")).toBe(422);
  expect(await remove("?confirm=asked&force=false")).toBe(422);
  expect(await remove("?confirm=aksed&force=true")).toBe(422);
  expect(await remove("?force=true")).toBe(422);
  expect(await remove("?forse=true")).toBe(400);
  expect(await remove("?force=1")).toBe(400);
  expect(await there()).toHaveLength(1);
  expect(await remove("?confirm=asked&force=true")).toBe(200);
});
