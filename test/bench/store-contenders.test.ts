import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { openRepository } from "./store-contenders.ts";

const blockCount = 300;

function image(random: SeededRandom): Buffer {
  const bytes = Buffer.alloc(blockCount * blockBytes);
  for (let at = 0; at < bytes.length / 2; at++) bytes[at] = random.integerBelow(256);
  return bytes;
}

test("an image that goes into our repository comes out of it, and blocks that were written go in alone", async () => {
  const folder = temporaryFolder();
  const [path, output, numbers] = [join(folder, "image"), join(folder, "output"), join(folder, "numbers")];
  const first = image(new SeededRandom(1));
  writeFileSync(path, first);
  const repository = await openRepository("tidemark", join(folder, "store"), "fast");
  const { seconds, workSeconds } = await repository.add(path, 0);
  expect(seconds).toBeGreaterThan(workSeconds ?? Number.NaN);
  const firstBytes = repository.physicalBytes();
  const second = image(new SeededRandom(2));
  writeFileSync(path, second);
  writeFileSync(numbers, new Uint8Array(Uint32Array.of(7, 3, 200).buffer));
  await repository.add(path, 1, numbers);
  // Two blocks of noise, and one of zeros.
  expect(repository.physicalBytes() - firstBytes).toBeGreaterThan(2 * blockBytes);
  expect(repository.physicalBytes() - firstBytes).toBeLessThan(3 * blockBytes);
  await repository.restore(0, output);
  expect(readFileSync(output).equals(first)).toBe(true);
  await repository.restore(1, output);
  const written = [7, 3, 200].map((number) => second.subarray(number * blockBytes, (number + 1) * blockBytes));
  expect(readFileSync(output).equals(Buffer.concat(written))).toBe(true);
}, 60_000);
