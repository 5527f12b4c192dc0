/** Points of a real XFS in use. */
import { expect, test } from "vitest";
import { attachObstacle } from "#test/clients/attached-disk.ts";
import { succeed } from "#test/clients/command.ts";
import { needPrograms, skipWhere } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { isWhole, shareOf } from "#test/long-share.ts";
import { proveFileSystem } from "./file-system-proof.ts";

needPrograms("setpriv", "fio", "nbdfuse", "fusermount3", "losetup", "mkfs.xfs", "xfs_repair", "fstrim");
skipWhere(attachObstacle);

const xfs = {
  name: "xfs",
  // Smaller than its makers think useful, so that all of it can be compared often.
  make: (device: string) => succeed("mkfs.xfs", ["-q", "--unsupported", device]),
  // Two file systems of one name are not mounted at once otherwise.
  viewMountOptions: "rw,nouuid",
  check: (device: string) => succeed("xfs_repair", ["-n", device]),
};
/** In all 200 points where something was flushed, and 200 others; of a share half as many. */
const pointsPerRound = isWhole ? 40 : 20;
const perRound = { writesPerRound: 5000, comparedPerRound: 20, pointsPerRound, pointsWhileWriting: 4 };

test("points of an XFS in use are what it had written, replay their log, have what was synced, and check clean", {
  timeout: 3_600_000,
}, async () => {
  const report = await proveFileSystem(xfs, { sizeBytes: 64 * MiB, rounds: shareOf(10), ...perRound });
  console.info(report);
  expect(report).toContain("0 complaints");
});
