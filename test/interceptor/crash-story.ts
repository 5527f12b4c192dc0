/**
 * Power cuts and kills at any moment, one after the other: promises hold, marks come before records, and in the end the
 * source is what the journal says. In a third of the stories the journal begins without what the source held at first.
 */
import { expect } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { RegionMap } from "#src/interceptor/region-map.ts";
import { chooseCopy, copyBytesOf, decodeCopy } from "#src/interceptor/region-map-format.ts";
import { HistoryHost } from "./history-host.ts";
import { firstDifference } from "./random-host.ts";
import { ReluctantSource } from "./reluctant-source.ts";
import { turn, VolumeWorld, volumeId } from "./volume-world.ts";

const sizeBytes = 24 * MiB;

/** The map as it would be found after a power cut that takes all it can. */
function durableMap(world: VolumeWorld): RegionMap {
  const copyBytes = copyBytesOf(world.sizeBytes);
  const bytes = Buffer.alloc(2 * copyBytes);
  world.host.disk.fileAt("/volume/regions").durable.read(bytes, 0, bytes.length, 0);
  const owner = { id: volumeId, sizeBytes: world.sizeBytes };
  const chosen = chooseCopy(decodeCopy(owner, bytes, 0, 0), decodeCopy(owner, bytes, copyBytes, 1));
  if (chosen === undefined) throw new Error("no copy of the map is whole");
  return new RegionMap(world.sizeBytes, chosen.copy.bits);
}

function hasBase(seed: number): boolean {
  return seed % 3 === 1;
}

function crashingWorld(seed: number): VolumeWorld {
  const flush = seed % 4 === 3 ? "spool" : "both";
  const copyBytesPerSecond = seed % 2 === 0 ? 40 * MiB : Number.POSITIVE_INFINITY;
  const options = { checkpointMs: 40, checkpointBytes: 200_000, flush, copyBytesPerSecond } as const;
  const world = new VolumeWorld({ seed, sizeBytes, isSparse: true, hasBase: hasBase(seed), options });
  const random = world.simulation.random.fork("source");
  world.host.disk.faults.coldChance = 0.2;
  world.wrap = (source) => new ReluctantSource(source, () => random.chance(0.6));
  world.links.flushesAtOnce = seed % 2 === 0;
  world.links.adding = (startBlock, blockCount) => {
    expect(durableMap(world).covers(startBlock, blockCount), `seed ${seed}: a mark before its record`).toBe(true);
  };
  return world;
}

async function live(world: VolumeWorld, host: HistoryHost): Promise<void> {
  const random = world.simulation.random.fork(`life ${world.links.attachCount}`);
  for (let round = random.between(0, 60); round > 0; round--) {
    host.act();
    if (random.chance(0.5)) await world.pass(random.between(0, 12) / 4);
    if (random.chance(0.3)) for (const done of world.links.current?.owedFlushes.splice(0) ?? []) done(null);
  }
  // What is dead does not go on with what it had just been told.
  await turn();
}

/** Until what is in doubt was journaled anew. */
async function settle(world: VolumeWorld): Promise<void> {
  for (let round = 0; round < 400; round++) {
    await world.pass(5);
    for (const done of world.links.current?.owedFlushes.splice(0) ?? []) done(null);
    if (world.volume.status().copy === undefined) return;
  }
  throw new Error("the resync does not end");
}

/** Answers how many changes were promised to be durable. */
export async function crashAgainAndAgain(seed: number): Promise<number> {
  const world = crashingWorld(seed);
  const host = new HistoryHost(world, world.simulation.random.fork("host"));
  await world.open();
  for (let life = 0; life < 4; life++) {
    await live(world, host);
    const losesPower = world.simulation.random.chance(0.7);
    if (losesPower) world.cutPower();
    else world.kill();
    await world.open();
    expect(host.brokenPromise(world.source), `seed ${seed}, life ${life}`).toBeUndefined();
    if (world.simulation.random.chance(0.8)) {
      await settle(world);
      const replayed = world.links.replay(hasBase(seed) ? Buffer.alloc(sizeBytes) : world.initial);
      expect(world.volume.status().baseMissing, `seed ${seed}, life ${life}: the base`).toBe(false);
      expect(firstDifference(world.source, replayed), `seed ${seed}, life ${life}: journal`).toBeUndefined();
    }
    host.beginAnew();
  }
  return host.promisedCount;
}
