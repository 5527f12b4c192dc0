/** Many requests of all kinds at once, compared with a model of what the export must hold after each round. */
import { expect } from "vitest";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const lanes = 8;
const rounds = 60;

/** Each round works in every lane of the export at the same time, so its requests never touch each other's bytes. */
export async function exercise(client: NbdClient, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const model = Buffer.alloc(client.sizeBytes);
  const laneBytes = Math.floor(client.sizeBytes / lanes);
  for (let round = 0; round < rounds; round++) {
    const work: Promise<void>[] = [];
    for (let lane = 0; lane < lanes; lane++) {
      const start = random.integerBelow(laneBytes - 1);
      const lengthBytes = random.between(1, Math.min(laneBytes - start, random.chance(0.1) ? laneBytes : 9000));
      work.push(step(client, model, random, lane * laneBytes + start, lengthBytes));
    }
    await Promise.all(work);
  }
  await client.flush();
  const held = await client.read(0, client.sizeBytes);
  expect(held.equals(model), `seed ${seed}: the export holds what was written`).toBe(true);
}

async function step(client: NbdClient, model: Buffer, random: SeededRandom, at: number, lengthBytes: number) {
  const end = at + lengthBytes;
  switch (random.integerBelow(4)) {
    case 0: {
      const read = await client.read(at, lengthBytes);
      expect(read.equals(model.subarray(at, end))).toBe(true);
      return;
    }
    case 1:
      model.fill(0, at, end);
      await client.writeZeroes(at, lengthBytes, { noHole: random.chance(0.5) });
      return;
    default: {
      const content = Buffer.alloc(lengthBytes, random.integerBelow(256).toString(36));
      content.copy(model, at);
      await client.write(at, content, { fua: random.chance(0.1) });
    }
  }
}
