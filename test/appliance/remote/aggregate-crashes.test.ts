/** Claim A5: an aggregate is never half visible at the remote, whenever and however that ends. */
import { describe, expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { aggregateBatchEntries } from "#src/journals/metadata-aggregate.ts";
import { wireAggregate } from "#test/journals/wire-aggregate.ts";
import { payloadOf, wireBatch } from "#test/journals/wire-batch.ts";
import { promisesSettled } from "#test/sim/sim-clock.ts";
import { hello, type LocalPeer, RemoteWorld } from "./remote-world.ts";
import { journalState } from "./volume-state.ts";

/** More than two batches of metadata, and enough payload that it reaches the disk in pieces. */
const runCount = 2 * aggregateBatchEntries + 50;
const parts = wireAggregate({
  firstSeq: 3,
  lastSeq: 5000,
  ranges: [{ volume: 1, startBlock: 0, blockCount: 4 }],
  runs: Array.from({ length: runCount }, (_, index) => ({ startBlock: 2 * index, payload: payloadOf(index, 1) })),
  recordsPerPart: 250,
});
const plain = [
  wireBatch({ firstSeq: 1 }, [{ startBlock: 0, blockCount: 4, content: 1_000_001 }]),
  wireBatch({ firstSeq: 2 }, [{ startBlock: 9, blockCount: 1, content: 1_000_002 }]),
];
const last = wireBatch({ firstSeq: 5001 }, [{ startBlock: 1, content: 1_000_003 }]);
const all = [...plain, ...parts, last];

const first = { "1/0": "1000001.0", "1/1": "1000001.1", "1/2": "1000001.2", "1/3": "1000001.3" };
const second = { ...first, "1/9": "1000002.0" };
const folded = {
  ...{ "1/1": "zeros", "1/3": "zeros", "1/9": "1000002.0" },
  ...Object.fromEntries(Array.from({ length: runCount }, (_, index) => [`1/${2 * index}`, `${index}.0`])),
};
/** What the volume may be, by what was received. There is nothing else. */
const points = new Map<number, Record<string, string>>([
  [0, {}],
  [1, first],
  [2, second],
  [5000, folded],
  [5001, { ...folded, "1/1": "1000003.0" }],
]);

/** Fewer bytes than all of it, so that it is synced in the middle. */
function worldOf(seed: number): RemoteWorld {
  return new RemoteWorld(seed, { syncAfterMs: 5, syncAfterBytes: MiB });
}

/** Where the program can be told to die, while all of it is sent. */
const placeCount = 23;

class Killed extends Error {}

const greeting = (life: number) => hello({ life, writer: `writer-${life}`, firstSeq: 1, lastSeq: 5001 });

/** The remote begins again; what it has is one of the points, and not less than it had promised. */
async function expectPoint(world: RemoteWorld, promisedSeq: number): Promise<LocalPeer> {
  world.hook = undefined;
  await world.start();
  expect(world.appliance.status()).toMatchObject([{ state: "open" }]);
  const peer = await world.connect(greeting(2));
  const { received } = peer.welcome;
  expect(received).toBeGreaterThanOrEqual(promisedSeq);
  expect([...points.keys()]).toContain(received);
  expect(Object.fromEntries(journalState(world, received))).toEqual(points.get(received));
  return peer;
}

/** What comes next goes on, and ends as if nothing had been. */
async function expectEnd(world: RemoteWorld, peer: LocalPeer): Promise<void> {
  const { received } = peer.welcome;
  if (received < 1) peer.send(plain[0] as Buffer);
  if (received < 2) peer.send(plain[1] as Buffer);
  if (received < 5000) for (const part of parts) peer.send(part);
  if (received < 5001) peer.send(last);
  expect(Object.fromEntries(journalState(world, 5001))).toEqual(points.get(5001));
  await world.durable(peer, 5001);
}

describe("claim A5: an aggregate is never half visible: the process dies", () => {
  test.each(Array.from({ length: placeCount }, (_, index) => index + 1))(
    "at the %d. place where it can",
    async (nth) => {
      for (const end of ["kill", "cutPower"] as const) {
        const world = worldOf(nth);
        let calls = 0;
        world.hook = () => {
          if (++calls === nth) throw new Killed();
        };
        await world.start();
        const peer = await world.connect(greeting(1));
        expect(() => {
          for (const batch of all) peer.send(batch);
        }).toThrow();
        const promised = peer.last.durable;
        world.host[end]();
        await expectEnd(world, await expectPoint(world, promised));
      }
    },
  );

  test("and there are no more places than these", async () => {
    const world = worldOf(1);
    let calls = 0;
    world.hook = () => {
      calls++;
    };
    await world.start();
    const peer = await world.connect(greeting(1));
    for (const batch of all) peer.send(batch);
    expect(calls).toBe(placeCount);
  });
});

describe("claim A5: an aggregate is never half visible: power is lost", () => {
  /** So many batches are sent, with some events between two of them; then so many events pass. */
  async function lived(seed: number, sentCount: number, stepsBetween: number, stepsBehind: number): Promise<void> {
    const world = worldOf(seed);
    await world.start();
    const peer = await world.connect(greeting(1));
    const step = async (count: number) => {
      for (let index = 0; index < count; index++) {
        world.simulation.clock.step();
        await promisesSettled();
      }
    };
    for (const batch of all.slice(0, sentCount)) {
      peer.send(batch);
      await step(stepsBetween);
    }
    await step(stepsBehind);
    const promised = peer.last.durable;
    world.host.cutPower();
    const again = await expectPoint(world, promised);
    world.host.cutPower();
    expect((await expectPoint(world, again.welcome.durable)).welcome.received).toBe(again.welcome.received);
  }

  test.each(Array.from({ length: all.length }, (_, index) => index + 1))("behind %d batches", async (sentCount) => {
    for (const stepsBetween of [0, 1]) await lived(sentCount, sentCount, stepsBetween, 0);
  });

  test("at each event behind the last of them", async () => {
    for (let steps = 0; steps < 16; steps++) await lived(100 + steps, all.length, 0, steps);
  });

  test("again and again while nothing is synced, in whatever order pieces reach the disk", async () => {
    for (let seed = 200; seed < 220; seed++) await lived(seed, all.length - 1, 0, 0);
  });
});
