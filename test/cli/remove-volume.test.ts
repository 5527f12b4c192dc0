/** A volume that hosts use is not taken from them without being told to. */
import { join } from "node:path";
import { expect, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { RunningProgram } from "./running-program.ts";

async function usedVolume() {
  const folder = temporaryFolder();
  const up = await RunningProgram.start("up", join(folder, "data"));
  const source = join(folder, "disk.img");
  const volume = (await up.asked("volume", "add", "disk", "--source", source, "--size", "1M")) as VolumeReport;
  return { up, client: await openVolume(volume.uris[0] as string) };
}

test("a volume in use is removed only with --force", async () => {
  const { up, client } = await usedVolume();
  const line = ["volume", "rm", "disk", "--confirm", "disk"];
  const { exitCode, stdout, stderr } = await up.typed(...line);
  expect([exitCode, stdout, stderr.split("\n").length]).toEqual([1, "", 2]);
  expect(stderr).toContain("volume 'disk' is in use, by a host's connection: detach it there, or use --force");
  await client.write(0, Buffer.alloc(4096, 1));
  expect(await up.typed(...line, "--force")).toMatchObject({ exitCode: 0, stderr: "" });
  await expect(client.write(0, Buffer.alloc(4096, 1))).rejects.toThrow();
  expect((await up.status()).volumes).toEqual([]);
});

test.each([[[]], [["--confirm", "disc"]], [["--force"]]])(
  "fault 39: the protection of a volume is not ended by %j, without its name once more",
  async (options) => {
    const { up, client } = await usedVolume();
    await client.disconnect();
    const { exitCode, stderr } = await up.typed("volume", "rm", "disk", ...options);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("volume 'disk' would not be protected any more");
    expect(stderr).toContain("--confirm disk says that this is meant");
    expect((await up.status()).volumes).toHaveLength(1);
  },
);

test("the API asks for the same, and refuses what it does not know", async () => {
  const { up } = await usedVolume();
  const remove = async (query: string): Promise<number> =>
    (await fetch(`${up.api}/api/v1/volumes/disk${query}`, { method: "DELETE" })).status;
  expect(await remove("?confirm=disk")).toBe(422);
  expect(await remove("?confirm=disk&force=false")).toBe(422);
  expect(await remove("?confirm=dsik&force=true")).toBe(422);
  expect(await remove("?force=true")).toBe(422);
  expect(await remove("?forse=true")).toBe(400);
  expect(await remove("?force=1")).toBe(400);
  expect((await up.status()).volumes).toHaveLength(1);
  expect(await remove("?confirm=disk&force=true")).toBe(200);
});
