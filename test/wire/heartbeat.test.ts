import { expect, test } from "vitest";
import { Heartbeat } from "#src/wire/heartbeat.ts";

function beats(heartbeat: Heartbeat, count: number): string[] {
  return Array.from({ length: count }, () => heartbeat.beat());
}

test("who has nothing to say says that he lives, and gives up when nobody answers for as long as agreed", () => {
  expect(beats(new Heartbeat(1000, 5000), 6)).toEqual([...Array(5).fill("say so"), "give up"]);
});

test("whatever comes in counts as an answer", () => {
  const heartbeat = new Heartbeat(1000, 5000);
  beats(heartbeat, 5);
  heartbeat.received();
  expect(beats(heartbeat, 6).indexOf("give up")).toBe(5);
});

test("who has just spoken need not say that he lives", () => {
  const heartbeat = new Heartbeat(1000, 5000);
  heartbeat.sent();
  expect(beats(heartbeat, 2)).toEqual(["nothing", "say so"]);
});

test("a beat that comes late, however late, is one beat: nobody takes his own sleep for the other's death", () => {
  const heartbeat = new Heartbeat(1000, 5000);
  // An hour may lie between these two.
  expect(beats(heartbeat, 2)).toEqual(["say so", "say so"]);
});
