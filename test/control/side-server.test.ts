import { expect, onTestFinished, test } from "vitest";
import { endlessly, SideClient } from "#src/control/side-client.ts";
import { RefuseError } from "#src/core/errors.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { startThread } from "#src/host/node/thread.ts";

function failingSide() {
  const thread = startThread(new URL("./failing-side.ts", import.meta.url), "failing", null);
  onTestFinished(() => thread.end());
  return { thread, client: new SideClient("local", thread, nodeClock) };
}

test("what a side refuses arrives as a refusal, in its words", async () => {
  const { client } = failingSide();
  const refused = client.ask("measure", { source: "/a" });
  await expect(refused).rejects.toThrow("the source is mounted");
  await expect(refused).rejects.toBeInstanceOf(RefuseError);
});

test("any other error of a side is an answer too", async () => {
  await expect(failingSide().client.ask("trace", { volume: "a" })).rejects.toThrow("this test does not ask for it");
});

test("a fault of the program ends the side's thread, and is no answer", async () => {
  const { thread, client } = failingSide();
  let isAnswered = false;
  const settled = (): void => {
    isAnswered = true;
  };
  client.ask("start", null, endlessly).then(settled, settled);
  expect((await thread.ended)?.message).toBe("a fault of this program");
  expect(isAnswered).toBe(false);
});
