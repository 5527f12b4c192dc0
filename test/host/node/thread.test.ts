import { expect, test } from "vitest";
import { startThread } from "#src/host/node/thread.ts";
import type { Thread } from "#src/host/thread.ts";

const moduleUrl = new URL("./echoing-thread.ts", import.meta.url);

function nextMessage(thread: Thread): Promise<unknown> {
  return new Promise((resolve) => thread.receive(resolve));
}

test("a thread gets its settings and what is sent to it, also before it runs", async () => {
  const thread = startThread(moduleUrl, "echo", { prefix: "heard " });
  thread.send("this");
  expect(await nextMessage(thread)).toBe("heard this");
  thread.end();
  expect(await thread.ended).toBe(undefined);
});

test.each([
  ["throw", "thrown in the thread"],
  ["reject", "rejected in the thread"],
  ["exit", "it ended with status 7"],
])("one that comes to an end by %s says why", async (how, message) => {
  const thread = startThread(moduleUrl, "echo", { prefix: "" });
  thread.send(how);
  expect((await thread.ended)?.message).toBe(message);
});

test("a module that does not load is the end of its thread", async () => {
  const thread = startThread(new URL("./no-such-module.ts", import.meta.url), "none", {});
  expect((await thread.ended)?.message).toContain("no-such-module.ts");
});
