import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { ClosedBlocks, damaged, none, sound } from "#test/store/closed-blocks.ts";
import { MemoryObjects } from "#test/store/memory-objects.ts";
import { MemoryStore } from "#test/store/memory-store.ts";

const run = promisify(execFile);
const launcher = new URL("../../src/cli/launch.js", import.meta.url).pathname;
const golden = (name: string) => new URL(`../golden/${name}`, import.meta.url).pathname;
const dumped = (...parameters: string[]) => run(process.execPath, [launcher, "dump", "segment", ...parameters]);

async function segmentBytes(): Promise<Buffer> {
  const objects = new MemoryObjects();
  const memory = await MemoryStore.open(objects);
  await memory.seal(new ClosedBlocks(7, [sound(1), none, sound(2, 3), sound(1), sound(0), damaged(4)]));
  return objects.contents.get("segments/000000000007.0000") as Buffer;
}

test("a segment is dumped slot by slot, as text and as JSON", async () => {
  const path = join(temporaryFolder(), "segment");
  writeFileSync(path, await segmentBytes());
  const lines = (await dumped(path)).stdout.trimEnd().split("\n");
  expect(lines[0]).toMatch(/: 7, generation 0, .* 6 slots: 2 kept in 1 frames, 1 forwards, 1 zeros, 1 damaged$/);
  expect(lines.slice(1).map((line) => line.split(" ").slice(2, 7).join(" "))).toEqual([
    "slot 0 kept volume 1",
    "slot 2 kept volume 3",
    "slot 3 forward volume 1",
    "slot 4 zeros volume 1",
    "slot 5 damaged volume 1",
  ]);
  expect(lines[3]).toMatch(/ to slot 0 of segment 7$/);
  const items = (await dumped(path, "--json")).stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(items[0]).toMatchObject({ kind: "segment", segment: 7, generation: 0, kept: 2 });
  expect(items[2]).toMatchObject({ kind: "slot", slot: 2, state: "kept", volume: 3, frame: { place: 1 } });
  expect(items[2]?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(items[3]).toMatchObject({ target: { segment: 7, slot: 0 } });
});

test("what is damaged in it is said, and what is no segment is refused", async () => {
  const bytes = await segmentBytes();
  const at = bytes.length - 200;
  for (const flipped of [at - 100, at - 200]) bytes[flipped] = (bytes[flipped] as number) ^ 1;
  const path = join(temporaryFolder(), "segment");
  writeFileSync(path, bytes);
  await expect(dumped(path)).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/ {2}DAMAGED: .*is damaged in its part /),
  });
  await expect(dumped(golden("sealed-piece-v1.bin"))).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("sealed-piece-v1.bin is no sealed segment"),
  });
});
