import { expect, test } from "vitest";
import { KeeperRecalls } from "#src/control/keeper-recalls.ts";
import type { StoreRecall } from "#src/control/store-words.ts";

const wanted = [
  { seq: 1, volume: 1, block: 2 },
  { seq: 1, volume: 1, block: 3 },
];

test("each question gets its own answer, in whatever order these come", async () => {
  const asked: StoreRecall[] = [];
  const recalls = new KeeperRecalls({ send: (message) => asked.push(message as StoreRecall) });
  const [first, second] = [recalls.ask("a", wanted), recalls.ask("b", wanted)];
  expect(asked.map(({ recall }) => recall)).toEqual([
    { id: 1, group: "a", wanted },
    { id: 2, group: "b", wanted },
  ]);
  await recalls.answered({ id: 2, blocks: [] });
  await recalls.answered({ id: 1, blocks: [null, Buffer.from("a block")] });
  // Nobody waits for it any more.
  await recalls.answered({ id: 1, blocks: [Buffer.from("another")] });
  expect(await first).toEqual([undefined, Buffer.from("a block")]);
  expect(await second).toEqual([]);
});
