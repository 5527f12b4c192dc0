/** Snapshots by command, over processes as they are; and what the system saw them read. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { MadeSnapshot, SnapshotFacts } from "#src/control/snapshot-facts.ts";
import type { SnapshotDescriptionItem } from "#src/synth/snapshot-description.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { whenSeen } from "#test/patience.ts";
import { OverwrittenVolume, writesPerRound } from "./overwritten-volume.ts";

needPrograms("strace");

/** Those that this one has started, and those that they have. */
function processesBelow(): string[] {
  const all = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const pairs = all.map((line) => line.trim().split(/\s+/) as [pid: string, parent: string]);
  const found = [String(process.pid)];
  for (const one of found) found.push(...pairs.filter(([, parent]) => parent === one).map(([pid]) => pid));
  return found.slice(1);
}

/** Every file that they open, read or write until the answer. */
async function filesTouched(act: () => Promise<void>): Promise<string[]> {
  const path = join(temporaryFolder(), "calls");
  const processes = processesBelow().flatMap((one) => ["-p", one]);
  const calls = "trace=openat,read,pread64,readv,preadv,write,pwrite64,writev,pwritev,copy_file_range,sendfile";
  const tracer = spawn("strace", ["-f", "-y", "-qq", "-e", calls, "-o", path, ...processes], { stdio: "pipe" });
  // Until it watches it has written nothing; what it watches does something every so often.
  await whenSeen(() => expect(readFileSync(path, "utf8")).not.toBe(""));
  await act();
  tracer.kill("SIGINT");
  await once(tracer, "exit");
  const found = new Set<string>();
  for (const [, name = ""] of readFileSync(path, "utf8").matchAll(/[<"](\/[^>"]+)[>"]/g)) found.add(name);
  return [...found];
}

test("claim A8: a snapshot is made by command of pointers alone, inspected, and removed", async () => {
  const world = new OverwrittenVolume();
  await world.start(
    "store.snapshots.everySeconds=off",
    "store.snapshots.everyRecords=off",
    "store.retention.keepSeconds=off",
  );
  await world.round();
  const { up } = world;
  const first = (await up.asked("snapshot", "create", "disk")) as MadeSnapshot;
  expect(first).toMatchObject({ isNew: true, point: true, madeOf: 0, pointersToJournal: writesPerRound });
  expect(await up.asked("snapshot", "create", `disk@seq:${first.seq}`)).toMatchObject({ seq: first.seq, isNew: false });
  await world.round();
  let second = first;
  const touched = await filesTouched(async () => {
    second = (await up.asked("snapshot", "create", "disk")) as MadeSnapshot;
  });
  expect(second).toMatchObject({ isNew: true, madeOf: first.seq });
  const below = (folder: string) => touched.filter((path) => path.includes(`/objects/${folder}/`));
  expect(below("snapshots").length).toBeGreaterThan(0);
  expect(below("pieces").length).toBeGreaterThan(0);
  // Neither the source nor any payload, sealed or not.
  expect(below("segments")).toEqual([]);
  expect(touched.filter((path) => /disk\.img|\/data\/\d+|segment/.test(path))).toEqual([]);
  const { items } = (await up.asked("snapshot", "inspect", "disk", String(second.seq))) as {
    readonly items: readonly SnapshotDescriptionItem[];
  };
  expect(items).toContainEqual(expect.objectContaining({ kind: "pointers", into: "journal", level: 0 }));
  await up.asked("snapshot", "rm", "disk", String(first.seq));
  const { snapshots } = (await up.asked("snapshot", "ls", "disk")) as { readonly snapshots: readonly SnapshotFacts[] };
  expect(snapshots.map(({ seq }) => seq)).toEqual([second.seq]);
  await up.program.stop();
});

test("a snapshot is made of what was just written, and of a volume that nobody has written to", async () => {
  const world = new OverwrittenVolume();
  await world.start("store.sealAfterSeconds=3600");
  const { up } = world;
  expect(await up.asked("snapshot", "create", "disk")).toMatchObject({ isNew: true, pointersToJournal: 0 });
  await world.round({ isStored: false });
  // A host that has left is flushed for at some time afterwards, so more may follow meanwhile.
  const before = (await up.status()).groups[0]?.lastSeq as number;
  const made = (await up.asked("snapshot", "create", "disk")) as MadeSnapshot;
  expect(made).toMatchObject({ isNew: true, pointersToJournal: writesPerRound });
  expect(made.seq).toBeGreaterThanOrEqual(before);
  await up.program.stop();
});
