/** nbdinfo, which says in words what an export claims to be. */
import { expect, test } from "vitest";
import { refuse, succeed } from "./command.ts";
import { needPrograms, startServer, temporaryFolder, unixUri } from "./harness.ts";
import { createImage, KiB, MiB } from "./image.ts";

needPrograms("nbdinfo");

test("nbdinfo --json shows what the export can do", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 5 * MiB + 512);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const { stdout } = await succeed("nbdinfo", ["--json", server.uri]);
  expect(JSON.parse(stdout)).toMatchObject({
    protocol: "newstyle-fixed",
    TLS: false,
    structured: true,
    exports: [
      {
        "export-size": 5 * MiB + 512,
        is_read_only: false,
        can_cache: true,
        can_df: true,
        can_fast_zero: true,
        can_flush: true,
        can_fua: true,
        can_multi_conn: true,
        can_trim: true,
        can_zero: true,
        contexts: expect.arrayContaining(["base:allocation"]),
        block_size_minimum: 1,
        block_size_maximum: 32 * MiB,
      },
    ],
  });
});

test("nbdinfo --json shows a read-only export as such, with no way to change it", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 1 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--read-only"]);
  const { stdout } = await succeed("nbdinfo", ["--json", server.uri]);
  const changes = { can_trim: false, can_zero: false, can_fast_zero: false };
  expect(JSON.parse(stdout)).toMatchObject({ exports: [{ is_read_only: true, can_multi_conn: true, ...changes }] });
});

test("nbdinfo --size gives the size in bytes, whatever it is", async () => {
  const folder = await temporaryFolder();
  for (const sizeBytes of [0, 1, 513, 3 * 1024 ** 4 + 7]) {
    const disk = await createImage(folder.file(`disk-${sizeBytes}`), sizeBytes);
    const server = await startServer(disk, ["--socket", folder.file("socket")]);
    expect(server.sizeBytes).toBe(sizeBytes);
    const { stdout } = await succeed("nbdinfo", ["--size", server.uri]);
    expect(stdout.trim()).toBe(String(sizeBytes));
    await server.stop();
  }
});

test("nbdinfo --list shows the export by its name", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 2 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--name", "fjord å/1"]);
  const { stdout } = await succeed("nbdinfo", ["--list", "--json", unixUri(folder.file("socket"))]);
  expect(JSON.parse(stdout)).toMatchObject({
    exports: [{ "export-name": "fjord å/1", "export-size": server.sizeBytes }],
  });
});

test("the printed address opens a named export", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 2 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--name", "fjord å/1"]);
  const { stdout } = await succeed("nbdinfo", ["--json", server.uri]);
  expect(JSON.parse(stdout)).toMatchObject({ exports: [{ "export-name": "fjord å/1" }] });
});

test("an export that does not exist is refused, and the others are still served", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 2 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket"), "--name", "known"]);
  const { stderr } = await refuse("nbdinfo", ["--size", unixUri(folder.file("socket"), "unknown")]);
  expect(stderr).toMatch(/unknown/i);
  const { stdout } = await succeed("nbdinfo", ["--size", server.uri]);
  expect(stdout.trim()).toBe(String(2 * MiB));
});

test("an export without a name is the default one", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 2 * MiB);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const { stdout } = await succeed("nbdinfo", ["--size", unixUri(folder.file("socket"))]);
  expect(stdout.trim()).toBe(String(server.sizeBytes));
});

test("nbdinfo --map shows base:allocation as holes and data", async () => {
  const folder = await temporaryFolder();
  const runs = [{ position: 1 * MiB, lengthBytes: 64 * KiB }];
  const disk = await createImage(folder.file("disk"), 4 * MiB, runs);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const { stdout } = await succeed("nbdinfo", ["--map=base:allocation", "--json", server.uri]);
  expect(JSON.parse(stdout)).toMatchObject([
    { offset: 0, length: 1 * MiB, type: 3, description: "hole,zero" },
    { offset: 1 * MiB, length: 64 * KiB, type: 0, description: "data" },
    { offset: 1 * MiB + 64 * KiB, length: 3 * MiB - 64 * KiB, type: 3, description: "hole,zero" },
  ]);
});

test("nbdinfo --map --totals of a file of many pieces adds up", async () => {
  const folder = await temporaryFolder();
  const runs = Array.from({ length: 2000 }, (_, index) => ({ position: index * 16 * KiB, lengthBytes: 4 * KiB }));
  const disk = await createImage(folder.file("disk"), 2000 * 16 * KiB, runs);
  const server = await startServer(disk, ["--socket", folder.file("socket")]);
  const { stdout } = await succeed("nbdinfo", ["--map", "--totals", "--json", server.uri]);
  const rows: { size: number; type: number }[] = JSON.parse(stdout);
  const sizeOf = (type: number) => rows.find((row) => row.type === type)?.size;
  expect({ data: sizeOf(0), hole: sizeOf(3) }).toEqual({ data: 2000 * 4 * KiB, hole: 2000 * 12 * KiB });
});

test("the default export is served over TCP on a free port of the server's choice", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 2 * MiB);
  const server = await startServer(disk, ["--port", "0"]);
  expect(server.uri).toMatch(/^nbd:\/\/(127\.0\.0\.1|localhost):[1-9]\d*\/?$/);
  const { stdout } = await succeed("nbdinfo", ["--size", server.uri]);
  expect(stdout.trim()).toBe(String(2 * MiB));
});
