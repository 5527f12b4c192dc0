import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { runThread } from "#src/control/store-keeper.ts";
import type { StoreAnswer, StoreAsk } from "#src/control/store-words.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";

test("one that could not open its store says why, and ends without trying again", async () => {
  const folder = temporaryFolder();
  const { config } = loadConfig({ environment: {}, assignments: [`data=${folder}`], folder });
  const answers: StoreAnswer[] = [];
  let ask!: (message: StoreAsk) => void;
  const answered = new Promise<void>((resolve) => {
    const line = {
      send: (message: unknown) => {
        if (answers.push(message as StoreAnswer) === 2) resolve();
      },
      receive: (listener: (message: unknown) => void) => {
        ask = listener;
      },
    };
    const places = { folder: join(folder, "none/objects"), indexFolder: join(folder, "index") };
    runThread(line, { config, ...places, isIndexSuspect: false, wrappingKey: undefined });
  });
  ask({ id: 1, word: "seal", ask: { group: "a".repeat(32), folder, segment: 1 } });
  ask({ id: 2, word: "stop", ask: null });
  await answered;
  expect(answers).toEqual([
    { id: 1, error: { kind: "stop", message: expect.stringContaining("there is no folder") } },
    { id: 2, answer: null },
  ]);
});
