/** nbd-client, as far as it goes without the kernel's driver: the listing. The rest is in the guest of the long suite. */
import { expect, test } from "vitest";
import { succeed } from "./command.ts";
import { needPrograms, startServer, temporaryFolder } from "./harness.ts";
import { createImage, MiB } from "./image.ts";

needPrograms("nbd-client");

test("nbd-client -l lists the export over TCP", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 1 * MiB);
  const server = await startServer(disk, ["--port", "0", "--name", "ledger"]);
  const { hostname, port } = new URL(server.uri);
  const { stdout } = await succeed("nbd-client", ["-l", hostname, port]);
  // The description follows the name.
  expect(stdout).toMatch(/^ledger: \S/m);
});

test("nbd-client -l twice in a row is served twice", async () => {
  const folder = await temporaryFolder();
  const disk = await createImage(folder.file("disk"), 1 * MiB);
  const server = await startServer(disk, ["--port", "0", "--name", "ledger"]);
  const { hostname, port } = new URL(server.uri);
  const first = await succeed("nbd-client", ["-l", hostname, port]);
  const second = await succeed("nbd-client", ["-l", hostname, port]);
  expect(second.stdout).toBe(first.stdout);
});
