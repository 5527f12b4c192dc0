/** Groups of one store share its blocks, and none may learn from that what another one has. */
import { expect, test } from "vitest";
import { wireBatch } from "#test/journals/wire-batch.ts";
import { groupA, groupB, hello, RemoteWorld } from "./remote-world.ts";

interface Told {
  /** All that the asking group's local appliance was sent, in its order. */
  readonly marks: readonly unknown[];
  readonly creditBytes: number;
  readonly uniqueBytes: number;
}

const asked = 7;

/** The remote has one group's block; then another group sends it this one. */
async function toldOf(content: number): Promise<Told> {
  const world = new RemoteWorld(1, { sealAfterMs: 1000, sealRetryMs: 100 }, { hasStore: true });
  await world.start();
  const owner = await world.connect(hello({ group: groupA }));
  owner.send(wireBatch({ firstSeq: 1 }, [{ content: asked }]));
  await world.driver.until(() => owner.last.stored === 1);
  const curious = await world.connect(hello({ group: groupB, groupName: "others", writer: "writer-2" }));
  curious.send(wireBatch({ firstSeq: 1 }, [{ content }]));
  await world.driver.until(() => curious.last.stored === 1);
  expect(curious.closedWhy).toBeUndefined();
  const uniqueBytes = world.store?.store.figures.uniqueBytes ?? 0;
  await world.stop();
  return { marks: curious.marks, creditBytes: curious.creditBytes, uniqueBytes };
}

test("fault 36: who sends a block that another group has is told what he would be told of any other one", async () => {
  const known = await toldOf(asked);
  const unknown = await toldOf(asked + 1);
  // Or there would be nothing to be learnt.
  expect(unknown.uniqueBytes).toBeGreaterThan(known.uniqueBytes);
  expect([known.marks, known.creditBytes]).toEqual([unknown.marks, unknown.creditBytes]);
});
