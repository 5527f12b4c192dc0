/** What a store that contradicts itself is found to say. */
import { expect, test } from "vitest";
import { verifyStore } from "#src/journals/store-verification.ts";
import { collectionDocumentName } from "#src/store/collection-document.ts";
import { CancelledError } from "#src/store/work-control.ts";
import { FreeWork } from "#test/store/free-work.ts";
import { ScrubWorld } from "./scrub-world.ts";

async function verified(world: ScrubWorld, work = new FreeWork()) {
  const { objects, key, store } = await world.opened();
  return await verifyStore({ objects, key, segments: store.segments }, work);
}

const piece = (firstSeq: number) => `pieces/0123456789abcdef0123456789abcdef/${String(firstSeq).padStart(16, "0")}`;
const segment = (number: number) => `segments/${String(number).padStart(12, "0")}.0000`;

test.each([false, true])("a store that is whole verifies, and is counted (encrypted: %s)", async (isEncrypted) => {
  const work = new FreeWork();
  const { figures, findings } = await verified(await ScrubWorld.make(isEncrypted), work);
  expect(findings).toEqual([]);
  expect(figures).toMatchObject({ groups: 1, pieces: 3, records: 6, segments: 3, slots: 20, findings: 0 });
  expect(figures).toMatchObject({ keptBlocks: 12, forwards: 6, damagedBlocks: 0, forwardsToRemoved: 0 });
  expect(work.told.at(-1)).toMatchObject({ done: 2, total: 3, unit: "segments" });
});

test("a piece that is missing is found by the one behind it; the first may have expired", async () => {
  const world = await ScrubWorld.make(false);
  world.store.bytes.delete(piece(3));
  const { figures, findings } = await verified(world);
  expect(findings).toEqual([expect.stringContaining(`${piece(5)} does not follow the piece before`)]);
  expect(figures.findings).toBe(1);
  world.store.bytes.delete(piece(1));
  expect((await verified(world)).findings).toEqual([]);
});

test("what cannot be read is found, and the rest is looked at all the same", async () => {
  const world = await ScrubWorld.make(false);
  for (const name of [piece(3), segment(2)]) {
    // In the footer.
    world.store.flip(name, ((world.store.bytes.get(name)?.length ?? 0) - 60) * 8);
  }
  const { figures, findings } = await verified(world);
  expect(findings).toEqual([expect.stringContaining(piece(3)), expect.stringContaining(segment(2))]);
  expect(figures).toMatchObject({ pieces: 3, segments: 3, records: 4, findings: 2 });
});

test("a forward to a segment that is not there is found, unless the store was ever collected", async () => {
  const world = await ScrubWorld.make(false);
  world.store.bytes.delete(segment(1));
  const { findings } = await verified(world);
  expect(findings).toEqual([
    `${segment(2)}: it forwards to segment 1, which is not there`,
    `${segment(3)}: it forwards to segment 1, which is not there`,
  ]);
  await world.store.changeDocument(collectionDocumentName, Buffer.from("{}"), undefined);
  const collected = await verified(world);
  expect([collected.findings, collected.figures.forwardsToRemoved]).toEqual([[], 2]);
});

test("it may be ended", async () => {
  const work = new FreeWork();
  work.isCancelled = true;
  await expect(verified(await ScrubWorld.make(false), work)).rejects.toThrow(CancelledError);
});
