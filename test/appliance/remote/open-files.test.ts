import { expect, test } from "vitest";
import { OpenFiles } from "#src/appliance/remote/open-files.ts";
import { wireBatch } from "#test/journals/wire-batch.ts";
import { groupA, groupB, hello, RemoteWorld } from "./remote-world.ts";

function counting(count: number) {
  const released: number[] = [];
  const holders = Array.from({ length: count }, (_, index) => ({ releaseFiles: () => released.push(index) }));
  return { released, holders };
}

test("who opened files longest ago lets go of them when there are too many", () => {
  const { released, holders } = counting(5);
  const files = new OpenFiles(3);
  for (const holder of holders) files.opened(holder);
  expect(released).toEqual([0, 1]);
});

test("who opens files again counts as the last", () => {
  const { released, holders } = counting(3);
  const files = new OpenFiles(2);
  for (const index of [0, 1, 0, 2]) files.opened(holders[index] as (typeof holders)[0]);
  expect(released).toEqual([1]);
});

test("a group that let go of its files goes on where it was", async () => {
  const world = new RemoteWorld(1, { openGroupCountMax: 1 });
  await world.start();
  const peers = [await world.connect(), await world.connect(hello({ group: groupB }))];
  for (let seq = 1; seq <= 3; seq++) for (const peer of peers) peer.send(wireBatch({ firstSeq: seq }, [{}]));
  for (const peer of peers) await world.durable(peer, 3);
  for (const group of [groupA, groupB]) {
    expect(world.content(3, group).length).toBe(3);
    expect(world.folder(group).segments(world.host.files).length).toBe(1);
    expect(world.folder(group).pieces(world.host.files).length).toBe(1);
  }
});
