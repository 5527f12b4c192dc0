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

async function failed(path: string): Promise<{ readonly code: number; readonly stdout: string }> {
  return await dumped(path).then(
    () => Promise.reject(new Error("it is sound")),
    (error) => error,
  );
}

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
  const { code, stdout } = await failed(path);
  expect(code).toBe(1);
  expect(stdout.split("\n").filter((line) => line.includes("DAMAGED"))).toEqual([
    "  DAMAGED frame 9 at byte 182, 63 bytes: its checksum does not fit",
  ]);
});

test("what is no object of a store is not called a damaged one", async () => {
  const path = join(temporaryFolder(), "store.json");
  for (const bytes of [Buffer.alloc(0), Buffer.from("a host's name\n"), Buffer.alloc(5000, "{}")]) {
    writeFileSync(path, bytes);
    for (const kind of ["object", "segment", "piece", "snapshot"]) {
      const dump = run(process.execPath, [launcher, "dump", kind, path]);
      await expect(dump).rejects.toMatchObject({
        code: 1,
        stdout: "",
        stderr: `tidemark: ${path} is no object of a store\n`,
      });
    }
  }
  const bytes = readFileSync(golden("object-compressed-v1.bin"));
  bytes[0] = 0;
  writeFileSync(path, bytes);
  expect((await failed(path)).stdout).toContain(
    "  DAMAGED header at byte 0, 128 bytes: it is no header of an object\n",
  );
});
