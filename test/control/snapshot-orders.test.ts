/** Snapshots that somebody asks for, over a remote appliance that a test plays. */
import { expect, test } from "vitest";
import { type SealingGroup, SnapshotOrders } from "#src/control/snapshot-orders.ts";
import type { SnapshotAsk } from "#src/control/store-words.ts";
import { RefuseError, StopError } from "#src/core/errors.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

const id = "a".repeat(32);

function played(change: Partial<SealingGroup> = {}) {
  const simulation = new Simulation(1);
  const { clock } = simulation.host("remote");
  const group = { id, name: "g", received: 100, stored: 0, unsealedBytes: 4096, state: "open", ...change } as const;
  const now = { group: group as SealingGroup };
  const asked: string[] = [];
  const making = Promise.withResolvers<void>();
  const orders = new SnapshotOrders({
    clock,
    groups: () => [now.group],
    sealUpTo: (of, seq) => asked.push(`seal ${of === id} ${seq}`),
    make: async ({ seq }: SnapshotAsk) => {
      asked.push(`make ${seq}`);
      await making.promise;
      return { seq, isFirst: false, isAsked: true, heldBy: [], isNew: true, seconds: 0.1 };
    },
  });
  const order = (seq: number, waitMs: number) => orders.make({ group: id, volume: 1, seq, waitMs });
  return {
    clock,
    now,
    asked,
    making,
    order,
    run: <Result>(work: Promise<Result>) => driven(simDriver(simulation.clock), work),
  };
}

test("what it needs is sealed first, and then it is made", async () => {
  const { clock, now, asked, making, order, run } = played();
  making.resolve();
  clock.timer(500, () => {
    now.group = { ...now.group, stored: 100 };
  });
  expect(await run(order(90, 10_000))).toMatchObject({ made: { seq: 90, isNew: true } });
  expect(new Set(asked)).toEqual(new Set(["seal true 90", "make 90"]));
  expect(clock.monotonicMs()).toBeLessThan(1000);
});

test("what is sealed already is made at once", async () => {
  const { asked, making, order, run } = played({ stored: 90 });
  making.resolve();
  expect(await run(order(90, 0))).toMatchObject({ made: { seq: 90 } });
  expect(asked).toEqual(["make 90"]);
});

test("whoever waits no longer is told how far it is, and what was begun is not begun twice", async () => {
  const { now, asked, making, order, run } = played({ stored: 30, sealWhy: "the store is out of reach" });
  const waits = { seq: 90, storedSeq: 30, unsealedBytes: 4096, why: "the store is out of reach" };
  expect(await run(order(90, 200))).toEqual({ waits });
  now.group = { ...now.group, stored: 95 };
  asked.length = 0;
  expect(await run(order(90, 200))).toMatchObject({ waits: { seq: 90, storedSeq: 95 } });
  expect(await run(order(90, 200))).toMatchObject({ waits: { seq: 90, storedSeq: 95 } });
  expect(asked).toEqual(["make 90"]);
  making.resolve();
  expect(await run(order(90, 200))).toMatchObject({ made: { seq: 90 } });
});

test("what does not pass by itself is said at once, and what is not here is refused", async () => {
  const stuck = played({ sealWhy: "the journal is damaged", isSealStuck: true });
  await expect(stuck.run(stuck.order(90, 10_000))).rejects.toThrow(
    new StopError("what it needs cannot be sealed: the journal is damaged"),
  );
  const stopped = played({ state: "stopped", why: "damage" });
  await expect(stopped.run(stopped.order(90, 10_000))).rejects.toThrow("stopped");
  const full = played({ state: "full", why: "no room" });
  await expect(full.run(full.order(90, 10_000))).rejects.toThrow("while the disk is full");
  const { order, run } = played();
  await expect(run(order(101, 0))).rejects.toBeInstanceOf(RefuseError);
});
