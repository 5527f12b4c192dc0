/** The Linux kernel's own client, connected and cut off as `tidemark attach` and `detach` do it, under a server that falls silent. */
import { existsSync, readFileSync } from "node:fs";
import { expect, onTestFinished, test, vi } from "vitest";
import { connectArguments, disconnectArguments } from "#src/cli/attach/kernel-client.ts";
import { Program } from "#test/oracle/program.ts";
import { patience } from "#test/patience.ts";
import { buildGuest } from "./guest/initramfs.ts";
import { guestObstacle } from "./guest/kernel.ts";
import { lifeMs, runInGuest } from "./guest/machine.ts";
import { needPrograms, serveCommand, skipWhere, temporaryFolder } from "./harness.ts";
import { createImage, MiB } from "./image.ts";

needPrograms("qemu-system-x86_64", "busybox", "cpio", "nbd-client", "mkfs.ext4", "blkdiscard");
skipWhere(guestObstacle);

test("a silent server hangs an unmount until its client is cut off, and nothing after that", async () => {
  const folder = await temporaryFolder();
  const guest = await buildGuest(folder.file("guest"));
  const disk = await createImage(folder.file("disk"), 32 * MiB);
  const server = new Program("serve", serveCommand(disk, ["--port", "0", "--name", "disk", "--json"]));
  const { uri } = JSON.parse(await server.line((line) => line.startsWith("{"))) as { readonly uri: string };
  const { port } = new URL(uri);
  const device = "/dev/nbd0";
  const connect = connectArguments({ uri: uri.replace("127.0.0.1", "10.0.2.2"), device, isReadOnly: false });
  const settings = { CONNECT: connect.join(","), DISCONNECT: disconnectArguments(device).join(","), PORT: port };
  const running = runInGuest(guest, "detach.sh", settings);
  const consoleFile = `${guest.initramfsFile}.console`;
  const isMounted = () => existsSync(consoleFile) && readFileSync(consoleFile, "utf8").includes("GUEST: mounted");
  await vi.waitFor(() => expect(isMounted()).toBe(true), { ...patience, timeout: lifeMs });
  server.freeze();
  onTestFinished(() => server.thaw());
  const report = await running;
  expect(report.steps, report.console).toEqual([
    "mounted",
    "the server is silent",
    "unmounting hangs",
    "cut off, and nothing hangs",
    "the device is free",
    "done",
  ]);
});
