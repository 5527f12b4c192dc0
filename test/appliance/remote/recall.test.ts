/** What the remote appliance asks its local appliances for, because the store has lost it. */

import { expect, test } from "vitest";
import { blockBytes } from "#src/core/limits.ts";
import { recallMs } from "#src/core/recall-limits.ts";
import type { RecalledBlocks } from "#src/wire/group-link.ts";
import { driven } from "#test/contract/driver.ts";
import { groupA, groupB, RemoteWorld } from "./remote-world.ts";

const wanted = [{ seq: 1, volume: 1, block: 0 }];
const there: RecalledBlocks = [Buffer.alloc(blockBytes, 1)];

async function started() {
  const world = new RemoteWorld(1);
  await world.start();
  const recall = (group: string) => driven(world.driver, world.appliance.recall(group, wanted));
  return { world, recall };
}

test("whoever is connected for the group is asked, and nobody else", async () => {
  const { world, recall } = await started();
  const peer = await world.connect();
  peer.recalls = async () => there;
  expect(await recall(groupA)).toEqual(there);
  expect(await recall(groupB)).toEqual([]);
  peer.owner.closed();
  expect(await recall(groupA)).toEqual([]);
});

test("an answer that takes too long is not waited for, and nothing more is asked until it has come", async () => {
  const { world, recall } = await started();
  const peer = await world.connect();
  const late = Promise.withResolvers<RecalledBlocks>();
  let asked = 0;
  peer.recalls = () => {
    asked++;
    return late.promise;
  };
  const began = world.host.clock.monotonicMs();
  expect(await recall(groupA)).toEqual([]);
  expect(world.host.clock.monotonicMs()).toBe(began + recallMs);
  expect(await recall(groupA)).toEqual([]);
  expect(asked).toBe(1);
  late.resolve(there);
  await late.promise;
  expect(await recall(groupA)).toEqual(there);
});
