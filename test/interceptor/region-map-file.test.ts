import { expect, test } from "vitest";
import { blockBytes, MiB } from "#src/core/limits.ts";
import { RegionMapFile } from "#src/interceptor/region-map-file.ts";
import { copyBytesOf } from "#src/interceptor/region-map-format.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

const owner = { id: "00112233445566778899aabbccddeeff", sizeBytes: 400 * MiB };
const regionBlocks = MiB / blockBytes;
const seeds = Array.from({ length: 60 }, (_, seed) => seed);

function hostOf(seed: number): { simulation: Simulation; host: SimHost } {
  const simulation = new Simulation(seed);
  return { simulation, host: simulation.host("a") };
}

async function opened(simulation: Simulation, host: SimHost): Promise<RegionMapFile> {
  const opening = RegionMapFile.open(host.files, "/regions", owner, true);
  opening.catch(() => {});
  await simulation.clock.settle();
  return opening;
}

test("fault 18: that a copy was damaged is not forgotten when the one who found it was killed before he told", async () => {
  const { simulation, host } = hostOf(1);
  (await opened(simulation, host)).close();
  const handle = host.files.open("/regions", "readWrite");
  handle.writeNow(Buffer.alloc(64, 0xee), 0, 64, copyBytesOf(owner.sizeBytes) + 512);
  handle.close();
  const found = await opened(simulation, host);
  expect([found.isDoubtful, found.sourceAge]).toEqual([true, "unknown"]);
  host.kill();
  const again = await opened(simulation, host);
  expect([again.isDoubtful, again.state.resyncWanted, again.map.markedCount, again.sourceAge]).toEqual([
    false,
    true,
    400,
    "unknown",
  ]);
});

test("faults 10 and 11: whatever power cuts leave, a durable mark is found, and what the file says of ordinals holds", async () => {
  for (const seed of seeds) {
    const { simulation, host } = hostOf(seed);
    let file = await opened(simulation, host);
    const { random } = simulation;
    let lowest = 0;
    for (let life = 0; life < 4; life++) {
      const durable = new Set<number>();
      let asked = lowest;
      for (let round = random.between(1, 8); round > 0; round--) {
        const region = random.integerBelow(400);
        file.map.want(region * regionBlocks, 1);
        file.write();
        if (random.chance(0.3)) {
          asked++;
          const told = asked;
          file.raiseDurable(told).then(
            () => {
              lowest = Math.max(lowest, told);
            },
            () => {},
          );
        }
        if (random.chance(0.7)) simulation.clock.step();
        await Promise.resolve();
        for (let one = 0; one < 400; one++) if (file.map.covers(one * regionBlocks, 1)) durable.add(one);
      }
      host.cutPower();
      file = await opened(simulation, host);
      for (const region of durable) expect(file.map.covers(region * regionBlocks, 1), `seed ${seed}`).toBe(true);
      expect(file.state.durableOrdinal, `seed ${seed}`).toBeGreaterThanOrEqual(lowest);
      expect(file.isDoubtful, `seed ${seed}`).toBe(false);
      lowest = file.state.durableOrdinal;
    }
  }
});

test("an update is in both copies, so that damage to one does not undo it", async () => {
  for (const place of [0, 1]) {
    const { simulation, host } = hostOf(1);
    const file = await opened(simulation, host);
    const updating = file.update({ tracking: true, durableOrdinal: 9 });
    await simulation.clock.settle();
    await updating;
    file.close();
    host.disk.fileAt("/regions").flipBit(place * copyBytesOf(owner.sizeBytes) + 100, 3);
    const again = await opened(simulation, host);
    expect([again.state.tracking, again.state.durableOrdinal, again.isDoubtful]).toEqual([true, 9, true]);
  }
});

test("fault 18: damage to both is refused", async () => {
  const { simulation, host } = hostOf(1);
  (await opened(simulation, host)).close();
  for (const place of [0, 1]) host.disk.fileAt("/regions").flipBit(place * copyBytesOf(owner.sizeBytes) + 100, 3);
  await expect(opened(simulation, host)).rejects.toThrow("damaged");
});

test("fault 13: after a failed sync it is of no more use, and says so", async () => {
  const { simulation, host } = hostOf(1);
  const file = await opened(simulation, host);
  const failures: string[] = [];
  file.listen({ marked: () => {}, failed: (error) => failures.push(error.message) });
  host.disk.failNext("sync");
  file.map.want(0, 1);
  file.write();
  await simulation.clock.settle();
  expect(failures).toEqual([expect.stringContaining("ordered for the next sync")]);
  expect(file.map.covers(0, 1)).toBe(false);
  await expect(file.raiseDurable(1)).rejects.toThrow("ordered");
});

test("many marks at once need one sync", async () => {
  const { simulation, host } = hostOf(1);
  const file = await opened(simulation, host);
  const before = simulation.trace.lines.filter((line) => line.includes("sync done")).length;
  for (let region = 0; region < 400; region += 40) {
    file.map.want(region * regionBlocks, 1);
    file.write();
  }
  await simulation.clock.settle();
  const syncs = simulation.trace.lines.filter((line) => line.includes("sync done")).length - before;
  expect(syncs).toBe(2);
  for (let region = 0; region < 400; region += 40) expect(file.map.covers(region * regionBlocks, 1)).toBe(true);
});

test("a file that somebody was killed over while he published it keeps its name when the power is lost later", async () => {
  for (const seed of seeds) {
    const { simulation, host } = hostOf(seed);
    RegionMapFile.open(host.files, "/regions", owner, true).catch(() => {});
    await simulation.clock.pass(60_000, () => host.files.exists("/regions"));
    host.kill();
    await opened(simulation, host);
    host.cutPower();
    expect(host.files.exists("/regions"), `seed ${seed}`).toBe(true);
  }
});
