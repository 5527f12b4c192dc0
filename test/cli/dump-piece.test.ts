import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";

const run = promisify(execFile);
const launcher = new URL("../../src/cli/launch.js", import.meta.url).pathname;
const golden = (name: string) => new URL(`../golden/${name}`, import.meta.url).pathname;
const dumped = (...parameters: string[]) => run(process.execPath, [launcher, "dump", "piece", ...parameters]);

test("a piece is dumped record by record and extent by extent, as text and as JSON", async () => {
  const path = golden("sealed-piece-v1.bin");
  const { stdout } = await dumped(path);
  expect(stdout).toMatch(/^piece .*, records 1099511627781 to 1099512676358 .*, 10 entries, /);
  expect(stdout).toMatch(/ mark volume 0 ordinal 0 {"name":"before the upgrade"}\n/);
  expect(stdout).toMatch(/ aggregate volume 0 .* of an aggregate\n/);
  expect(stdout).toMatch(/ volume 3 blocks from 268435456 on zeros by 1099512676358\n$/);
  const items = (await dumped(path, "--json")).stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(items[0]).toMatchObject({ kind: "sealedPiece", object: path, recordCount: 10, previous: { lastEpoch: 9 } });
  expect(items[1]).toMatchObject({ kind: "record", type: "write", volume: 3, blockCount: 200, isAggregated: false });
  expect(items.at(-1)).toMatchObject({ kind: "extent", volume: 3, startBlock: 268_435_456, address: 0 });
});

test("what is damaged in it is said, and what is no piece is refused", async () => {
  const bytes = readFileSync(golden("sealed-piece-v1.bin"));
  bytes[200] = (bytes[200] as number) ^ 1;
  const path = join(temporaryFolder(), "piece");
  writeFileSync(path, bytes);
  await expect(dumped(path)).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringMatching(
      / {2}DAMAGED: .* is damaged in its part records 0 [\s\S]* volume 3 blocks from 268435456 on zeros /,
    ),
  });
  const object = golden("object-compressed-v1.bin");
  await expect(dumped(object)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining("object-compressed-v1.bin is no piece of a metadata journal"),
  });
});
