import { expect, test } from "vitest";
import { isMountPoint, mountsOf } from "#src/cli/attach/mount-table.ts";

const table = `proc /proc proc rw 0 0
/dev/loop1 /mnt/one ext4 rw 0 0
/dev/loop11 /mnt/other ext4 rw 0 0
/dev/loop1p2 /mnt/with\\040blank ext4 rw 0 0
/dev/loop1 /mnt/one/again ext4 rw 0 0
nbdfuse /run/disk fuse.nbdfuse rw 0 0
`;

test("all mounts of a device and its partitions are found, the newest first", () => {
  expect(mountsOf(table, "/dev/loop1")).toEqual(["/mnt/one/again", "/mnt/with blank", "/mnt/one"]);
  expect(mountsOf(table, "/dev/loop2")).toEqual([]);
});

test("a mount point is known by its whole path", () => {
  expect(isMountPoint(table, "/run/disk")).toBe(true);
  expect(isMountPoint(table, "/run")).toBe(false);
});
