import { expect, onTestFinished, test } from "vitest";
import { problemOf } from "#src/control/http/problem.ts";
import { NoPointYetError } from "#src/control/point-refusals.ts";
import { endlessly, SideClient } from "#src/control/side-client.ts";
import { errorOf, toldError } from "#src/control/side-error.ts";
import { UnknownNameError } from "#src/control/unknown-name.ts";
import { OverflowError, RefuseError, RetryError } from "#src/core/errors.ts";
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

test("what kind of refusal it was changes nothing: it arrives as one, and what may work later as that", () => {
  const arrived = (error: Error) => errorOf(toldError(error));
  expect(arrived(new NoPointYetError("disk", "its first record is on its way"))).toEqual(
    new RefuseError("volume 'disk': its first record is on its way"),
  );
  expect(arrived(new UnknownNameError("there is no view 'a'"))).toBeInstanceOf(RefuseError);
  expect(arrived(new OverflowError("the disk is full"))).toBeInstanceOf(RetryError);
  expect(problemOf(arrived(new NoPointYetError("disk", "none yet"))).status).toBe(422);
  expect(problemOf(arrived(new Error("the disk has failed"))).status).toBe(500);
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
