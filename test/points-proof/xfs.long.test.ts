/** Points of a real XFS in use. */
import { expect, test } from "vitest";
import { attachObstacle } from "#test/clients/attached-disk.ts";
import { succeed } from "#test/clients/command.ts";
import { needPrograms, skipWhere } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { proveFileSystem } from "./file-system-proof.ts";

needPrograms("setpriv", "fio", "nbdfuse", "fusermount3", "losetup", "mkfs.xfs", "xfs_repair", "fstrim", "nbdinfo");
skipWhere(attachObstacle);

const xfs = {
  name: "xfs",
  // Smaller than its makers think useful, so that all of it can be compared often.
  make: (device: string) => succeed("mkfs.xfs", ["-q", "--unsupported", device]),
  // Two file systems of one name are not mounted at once otherwise.
  viewMountOptions: "rw,nouuid",
  check: (device: string) => succeed("xfs_repair", ["-n", device]),
};

test("points of an XFS in use are what it had written, replay their log, have what was synced, and check clean", {
  timeout: 3_600_000,
}, async () => {
  const report = await proveFileSystem(xfs, 64 * MiB);
  console.info(report);
  expect(report).toContain("0 complaints");
});
