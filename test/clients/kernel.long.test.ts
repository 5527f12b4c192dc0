/** The Linux kernel's own client, in a guest that reaches our server through its network. */
import { expect, test } from "vitest";
import { succeed } from "./command.ts";
import { buildGuest } from "./guest/initramfs.ts";
import { guestObstacle } from "./guest/kernel.ts";
import { runInGuest } from "./guest/machine.ts";
import { needPrograms, skipWhere, startServer, temporaryFolder } from "./harness.ts";
import { createFullImage, createImage, fileHash, MiB, readRange } from "./image.ts";

needPrograms("qemu-system-x86_64", "busybox", "cpio", "nbd-client", "mkfs.ext4", "blkdiscard");
skipWhere(guestObstacle);

test("the kernel makes, fills, trims, leaves and finds again a file system", async () => {
  const folder = await temporaryFolder();
  const guest = await buildGuest(folder.file("guest"));
  const disk = await createImage(folder.file("disk"), 128 * MiB);
  const server = await startServer(disk, ["--port", "0"]);
  const report = await runInGuest(guest, "life.sh", { PORT: new URL(server.uri).port });
  expect(report.steps, report.console).toEqual([
    "connected twice over netlink",
    "made a file system",
    "wrote and trimmed",
    "disconnected",
    "found all again over the old interface",
    "discarded and zeroed",
    "done",
  ]);
  await server.stop();
  await succeed("e2fsck", ["-f", "-n", disk]);
  const tail = Buffer.alloc(16 * MiB, "Z")
    .fill(0, 4 * MiB, 8 * MiB)
    .fill(0, 10 * MiB, 11 * MiB);
  expect((await readRange(disk, 96 * MiB, 16 * MiB)).equals(tail)).toBe(true);
});

test("the kernel takes a read-only export for what it is", async () => {
  const folder = await temporaryFolder();
  const guest = await buildGuest(folder.file("guest"));
  const disk = await createFullImage(folder.file("disk"), 1 * MiB);
  const server = await startServer(disk, ["--port", "0", "--read-only", "--name", "frozen"]);
  const settings = { PORT: new URL(server.uri).port, NAME: "frozen", SUM: await fileHash(disk) };
  const report = await runInGuest(guest, "frozen.sh", settings);
  expect(report.steps, report.console).toEqual([
    "sees that it is read-only",
    "reads",
    "cannot write",
    "is refused another name",
    "done",
  ]);
});
