import { expect, test } from "vitest";
import { type AttachOrder, attachDisk } from "#src/cli/attach/attach-disk.ts";
import { AttachmentPlace } from "#src/cli/attach/attachment.ts";
import { isCutShort } from "#src/cli/attach/cut-short.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { failing, PlayedPrograms } from "./played-programs.ts";

const place = new AttachmentPlace("/run/attached", "disk");
const order: AttachOrder = {
  ...{ name: "disk", uri: "nbd://127.0.0.1/disk", client: "kernel", isFileOnly: false, isReadOnly: false },
  ...{ makeFileSystem: undefined, mountAt: "/mnt" },
};

function machine(answers: ConstructorParameters<typeof PlayedPrograms>[0]): PlayedPrograms {
  const programs = new PlayedPrograms(answers);
  programs.folders.set("/sys/block", ["nbd0"]);
  programs.texts.set("/proc/self/mounts", "");
  const connected = programs.run.bind(programs);
  programs.run = async (program, programArguments) => {
    if (program === "nbd-client") {
      programs.texts.set("/sys/block/nbd0/size", "2048\n");
      programs.texts.set("/sys/block/nbd0/pid", "70\n");
    }
    return connected(program, programArguments);
  };
  return programs;
}

/** `blkid`: as it ends. */
async function refusalOf(blkid: number, isReadOnly = false): Promise<string> {
  const programs = machine([
    [/^mount /, failing("wrong fs type", 32)],
    [/^blkid /, failing("", blkid)],
  ]);
  const attached = attachDisk({ programs, clock: nodeClock }, place, { ...order, isReadOnly });
  return attached.then(
    () => "attached",
    (error: Error) => error.message,
  );
}

test("the device is noted before nbd-client is told of it, and one that somebody else was quicker with is left to them", async () => {
  const programs = machine([]);
  const noted: unknown[] = [];
  const run = programs.run.bind(programs);
  programs.run = async (program, programArguments) => {
    if (program === "nbd-client") noted.push(place.read(programs));
    const ending = await run(program, programArguments);
    return program === "nbd-client" ? failing("Cannot use /dev/nbd0: Device or resource busy") : ending;
  };
  await expect(attachDisk({ programs, clock: nodeClock }, place, order)).rejects.toThrow("could not attach /dev/nbd0");
  expect(noted).toMatchObject([{ by: programs.processId, intended: "/dev/nbd0" }]);
  expect(programs.lines.filter((line) => line.startsWith("nbd-client -d"))).toEqual([]);
});

test("an attach is cut short when its process is gone, and not when it is done", async () => {
  const programs = machine([]);
  const { name, uri } = order;
  const begun = { name, uri, client: "kernel", by: 4321 } as const;
  expect(isCutShort(programs, begun)).toBe(true);
  programs.texts.set("/proc/4321/cmdline", "node\0main.ts\0attach\0disk\0");
  expect(isCutShort(programs, begun)).toBe(false);
  const whole = await attachDisk({ programs, clock: nodeClock }, place, order);
  expect(whole).toMatchObject({ device: "/dev/nbd0", holder: "70" });
  expect(place.read(programs)).toEqual(whole);
  expect(isCutShort(programs, whole)).toBe(false);
});

test("XFS may be mounted beside another one with the same UUID", async () => {
  const programs = machine([[/^blkid /, { ...failing("", 0), output: '/dev/nbd0: UUID="1" TYPE="xfs"' }]]);
  await attachDisk({ programs, clock: nodeClock }, place, { ...order, isReadOnly: true });
  expect(programs.lines.filter((line) => line.startsWith("mount "))).toEqual(["mount -o ro,nouuid /dev/nbd0 /mnt"]);
});

test("a volume without a file system is not mounted, and it is said what would make one", async () => {
  expect(await refusalOf(2)).toBe(
    "mount ended with status 32: wrong fs type\nThere is no file system on it: --mkfs ext4 makes one first",
  );
});

test("what holds something is not to be made anew", async () => {
  expect(await refusalOf(0)).toBe("mount ended with status 32: wrong fs type");
});

test("a moment at which the file system was in use is mounted from a view that can be written, and that is said", async () => {
  expect(await refusalOf(0, true)).toMatch(
    /^mount ended with status 32: wrong fs type\nIf its file system was in use .*--writable'$/,
  );
});
