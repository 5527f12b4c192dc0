import { expect, test } from "vitest";
import { type Attachment, AttachmentPlace } from "#src/cli/attach/attachment.ts";
import { isCutShort } from "#src/cli/attach/cut-short.ts";
import { detachDisk } from "#src/cli/attach/detach-disk.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { failing, late, PlayedPrograms } from "./played-programs.ts";

const place = new AttachmentPlace("/run/attached", "disk");
const uri = "nbd://127.0.0.1/disk";
const byKernel = { name: "disk", uri, client: "kernel", device: "/dev/nbd0" } as const;
const byFuse = {
  name: "disk",
  uri,
  client: "fuse",
  device: "/dev/loop0",
  file: "/run/attached/disk/disk/disk",
} as const;
const order = { isForced: false, withinMs: 50 };

function hands(...answers: ConstructorParameters<typeof PlayedPrograms>[0] & object) {
  const programs = new PlayedPrograms(answers);
  programs.texts.set("/proc/self/mounts", "/dev/nbd0 /srv ext4 rw 0 0\n/dev/loop0 /srv ext4 rw 0 0\n");
  programs.texts.set("/sys/block/loop0/loop/backing_file", `${byFuse.file}\n`);
  programs.texts.set(place.processFile, "71\n");
  programs.texts.set("/proc/71/cmdline", `nbdfuse\0${place.mountPoint}/disk\0`);
  return { programs, clock: nodeClock };
}

test("in order: the mount, what is still to be written, the device", async () => {
  const { programs, clock } = hands();
  expect(await detachDisk({ programs, clock }, place, byKernel, order)).toBeUndefined();
  expect(programs.lines).toEqual([
    "umount /srv",
    "sync /dev/nbd0",
    "nbd-client -d /dev/nbd0",
    "(removed /run/attached/disk)",
  ]);
});

test("a server that is silent: its client goes first, then mount and device, without waiting for anything", async () => {
  const { programs, clock } = hands([/^umount \/srv/, late]);
  expect(await detachDisk({ programs, clock }, place, byKernel, order)).toBe("its server does not answer");
  expect(programs.lines.slice(1)).toEqual([
    "nbd-client -d /dev/nbd0",
    "umount --lazy /srv",
    "(removed /run/attached/disk)",
  ]);
});

test("nbdfuse of a silent server is ended, so that what waits for it fails", async () => {
  const { programs, clock } = hands([/^umount \/srv/, late]);
  await detachDisk({ programs, clock }, place, byFuse, order);
  expect(programs.killed).toEqual([71]);
  expect(programs.lines.slice(1)).toEqual([
    "umount --lazy /srv",
    "losetup --detach /dev/loop0",
    "(removed /run/attached/disk)",
  ]);
});

test("a process that has nbdfuse's number by now is left alone", async () => {
  const { programs, clock } = hands();
  programs.texts.set("/proc/71/cmdline", "vi\0letter\0");
  await detachDisk({ programs, clock }, place, byFuse, { ...order, isForced: true });
  expect(programs.killed).toEqual([]);
});

test("what could not be written is told, though everything else went well", async () => {
  const { programs, clock } = hands([/^sync/, failing("sync: error syncing '/dev/nbd0': Input/output error")]);
  expect(await detachDisk({ programs, clock }, place, byKernel, order)).toContain("Input/output error");
});

test.each([
  ["a mount that is in use", [/^umount \/srv/, failing("umount: /srv: target is busy.", 32)], "/srv is in use"],
  ["a device that is held open", [/^nothing/, late], "/dev/loop0 is held open by a program"],
] as const)("%s stays, and nothing is cut off", async (_, answer, words) => {
  const { programs, clock } = hands(answer);
  await expect(detachDisk({ programs, clock }, place, byFuse, order)).rejects.toThrow(words);
  expect(programs.killed).toEqual([]);
  expect(programs.lines.join()).not.toMatch(/lazy|removed/);
  const left = place.read(programs);
  expect(left).toEqual({ ...byFuse, takenAwayBy: programs.processId });
  expect(isCutShort(programs, byFuse)).toBe(false);
  expect(isCutShort(programs, left as Attachment)).toBe(true);
});

test("while somebody takes it away nobody else does", () => {
  const { programs } = hands();
  const attachment = { ...byFuse, takenAwayBy: 4321 };
  programs.texts.set("/proc/4321/cmdline", "node\0main.ts\0detach\0disk\0");
  expect(isCutShort(programs, attachment)).toBe(false);
  programs.texts.delete("/proc/4321/cmdline");
  expect(isCutShort(programs, attachment)).toBe(true);
});

test.each([
  ["/dev/loop0", byFuse, "/sys/block/loop0/loop/backing_file", "/srv/other.img\n"],
  ["/dev/nbd0", { ...byKernel, holder: "70" }, "/sys/block/nbd0/pid", "99\n"],
] as const)(
  "%s, which went by itself after a refusal and is another's now, is left alone",
  async (_, known, fact, is) => {
    for (const isForced of [false, true]) {
      const { programs, clock } = hands();
      programs.texts.set(fact, is);
      programs.texts.delete(place.processFile);
      await detachDisk({ programs, clock }, place, known, { ...order, isForced });
      expect(programs.lines).toEqual(["(removed /run/attached/disk)"]);
    }
  },
);

const cutShort = { name: "disk", uri, client: "kernel", by: 4321, intended: "/dev/nbd1" } as const;

test("the device of an attach that was killed before it could note it is found", async () => {
  const { programs, clock } = hands();
  programs.texts.set("/sys/block/nbd1/size", "2048\n");
  await detachDisk({ programs, clock }, place, cutShort, order);
  expect(programs.lines).toEqual(["sync /dev/nbd1", "nbd-client -d /dev/nbd1", "(removed /run/attached/disk)"]);

  const fuse = hands();
  fuse.programs.folders.set("/sys/block", ["loop0", "loop7"]);
  fuse.programs.texts.set("/sys/block/loop0/loop/backing_file", "/srv/other.img\n");
  fuse.programs.texts.set("/sys/block/loop7/loop/backing_file", `${place.mountPoint}/disk\n`);
  await detachDisk(fuse, place, { name: "disk", uri, client: "fuse", by: 4321 }, { ...order, isForced: true });
  expect(fuse.programs.lines).toContain("losetup --detach /dev/loop7");
});

const takers: readonly (readonly [who: string, take: (programs: PlayedPrograms) => unknown])[] = [
  ["nobody", () => {}],
  ["a mount", (programs) => programs.texts.set("/proc/self/mounts", "/dev/nbd1p1 /srv ext4 rw 0 0\n")],
  ["another device", (programs) => programs.folders.set("/sys/block/nbd1/holders", ["dm-3"])],
  [
    "another program",
    (programs) => {
      programs.texts.set("/sys/block/nbd1/pid", "99\n");
      programs.texts.set("/proc/99/cmdline", "/usr/bin/qemu-nbd\0-c\0/dev/nbd1\0");
    },
  ],
  [
    "another volume",
    (programs) => {
      programs.folders.set("/run/attached", ["disk", "other"]);
      programs.texts.set("/run/attached/other/attachment.json", '{"name":"other","device":"/dev/nbd1"}');
    },
  ],
];

test.each(takers)(
  "a device that an attach was killed over, and that %s has by now, is left alone",
  async (who, take) => {
    const { programs, clock } = hands();
    if (who !== "nobody") programs.texts.set("/sys/block/nbd1/size", "2048\n");
    take(programs);
    await detachDisk({ programs, clock }, place, cutShort, { ...order, isForced: true });
    expect(programs.lines).toEqual(["(removed /run/attached/disk)"]);
  },
);

test("a device that is part of another one stays", async () => {
  const { programs, clock } = hands();
  programs.folders.set("/sys/block/nbd0/holders", ["dm-3"]);
  await expect(detachDisk({ programs, clock }, place, byKernel, order)).rejects.toThrow("/dev/nbd0 is part of dm-3");
});
