import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";

const run = promisify(execFile);
const launcher = new URL("../../src/cli/launch.js", import.meta.url).pathname;
const golden = (name: string) => new URL(`../golden/${name}`, import.meta.url).pathname;
const dumped = (...parameters: string[]) => run(process.execPath, [launcher, "dump", "object", ...parameters]);

test("an object is dumped part by part, as text and as JSON", async () => {
  const path = golden("object-compressed-v1.bin");
  const { stdout } = await dumped(path);
  expect(stdout.split("\n").map((line) => line.trim().split(" ")[0])).toEqual([
    "object",
    "frame",
    "frame",
    "table",
    "footer:",
    "",
  ]);
  const items = (await dumped(path, "--json")).stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(items).toMatchObject([
    { kind: "header", object: path, objectKind: "segment", number: 7, generation: 2 },
    { kind: "part", type: "frame", number: 0, offset: 128, codec: "zstd", plainBytes: 16_384 },
    { kind: "part", type: "frame", number: 4, codec: "zstd", plainBytes: 4096 },
    { kind: "part", type: "table", number: 0, codec: "as it is" },
    { kind: "footer", timeMicros: 1_700_000_000_123_456 },
  ]);
});

test("what is damaged in it is said", async () => {
  const bytes = readFileSync(golden("object-encrypted-v1.bin"));
  bytes[220] = 0xff;
  const path = join(temporaryFolder(), "object");
  writeFileSync(path, bytes);
  const { stdout } = await dumped(path);
  expect(stdout.split("\n").filter((line) => line.includes("DAMAGED"))).toEqual([
    "  DAMAGED frame 9 at byte 182, 63 bytes: its checksum does not fit",
  ]);
});
