/** Points of a real ext4 in use. */
import { expect, test } from "vitest";
import { attachObstacle } from "#test/clients/attached-disk.ts";
import { succeed } from "#test/clients/command.ts";
import { needPrograms, skipWhere } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { proveFileSystem } from "./file-system-proof.ts";

needPrograms("setpriv", "fio", "nbdfuse", "fusermount3", "losetup", "mkfs.ext4", "e2fsck", "fstrim", "nbdinfo");
skipWhere(attachObstacle);

const ext4 = {
  name: "ext4",
  make: (device: string) => succeed("mkfs.ext4", ["-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", device]),
  viewMountOptions: "rw",
  check: (device: string) => succeed("e2fsck", ["-f", "-n", device]),
};

test("points of an ext4 in use are what it had written, replay their log, have what was synced, and check clean", {
  timeout: 3_600_000,
}, async () => {
  const report = await proveFileSystem(ext4, 48 * MiB);
  console.info(report);
  expect(report).toContain("0 complaints");
});
