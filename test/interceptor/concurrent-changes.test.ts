/** Many changes at once, against a model that knows each byte. */
import { expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { firstDifference, RandomHost } from "./random-host.ts";
import { ReluctantSource } from "./reluctant-source.ts";
import { VolumeWorld } from "./volume-world.ts";

interface Weather {
  readonly seed: number;
  /** How often the source is fast. */
  readonly fastChance: number;
  readonly coldChance: number;
  readonly acknowledgesAtOnce: boolean;
  readonly sizeBytes: number;
}

async function actInWeather({ seed, fastChance, coldChance, acknowledgesAtOnce, sizeBytes }: Weather) {
  const world = new VolumeWorld({ seed, sizeBytes });
  const random = world.simulation.random.fork("host");
  world.host.disk.faults.coldChance = coldChance;
  const wrapped: ReluctantSource[] = [];
  world.wrap = (source) => {
    const reluctant = new ReluctantSource(source, () => random.chance(fastChance));
    wrapped.push(reluctant);
    return reluctant;
  };
  await world.open();
  const { links } = world;
  links.acknowledgesAtOnce = acknowledgesAtOnce;
  for (const source of wrapped) {
    source.seen = () => expect(links.current?.acknowledgedOrdinal, `seed ${seed}: ahead`).toBeGreaterThan(0);
  }
  const host = new RandomHost(world, random);
  for (let round = 0; round < 60; round++) {
    host.act();
    if (random.chance(0.3)) links.current?.acknowledge(random.between(0, links.lastOrdinal));
    links.hasRoom = random.chance(0.9);
    links.current?.receiver.roomAgain();
    if (random.chance(0.5)) await world.pass(random.between(0, 4) / 2);
  }
  links.hasRoom = true;
  links.acknowledgesAtOnce = true;
  links.current?.receiver.roomAgain();
  for (let round = 0; round < 20 && !host.isAnswered; round++) {
    links.current?.acknowledgeAll();
    await world.pass(20);
  }
  expect(host.isAnswered, `seed ${seed}: all are answered`).toBe(true);
  expect(host.requests.filter((request) => request.error !== 0)).toEqual([]);
  expect(firstDifference(world.source, host.model), `seed ${seed}: the source`).toBeUndefined();
  expect(firstDifference(links.replay(world.initial), host.model), `seed ${seed}: the journal`).toBeUndefined();
  expect(links.current?.heldCount, `seed ${seed}: memory`).toBe(0);
}

const weathers = Array.from({ length: 60 }, (_, seed): Weather => {
  const pick = <Item>(items: readonly Item[], shift: number): Item =>
    items[Math.floor(seed / shift) % items.length] as Item;
  return {
    seed,
    fastChance: pick([0, 1, 0.5], 1),
    coldChance: pick([0.5, 0, 1], 3),
    acknowledgesAtOnce: pick([true, false], 1),
    sizeBytes: pick([3 * MiB, 2 * MiB + 777, 2 * MiB + 4096 + 512], 2),
  };
});

test.each(weathers)("whatever comes together, source and journal end as the host wanted: seed $seed", (weather) =>
  actInWeather(weather),
);
