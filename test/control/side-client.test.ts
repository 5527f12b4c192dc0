/** What a side owes to those who have asked it, at its end and before, and what it keeps of them. */
import { queryObjects } from "node:v8";
import { expect, test } from "vitest";
import { SideClient } from "#src/control/side-client.ts";
import { sideAsksMax } from "#src/core/limits.ts";
import { Simulation } from "#test/sim/simulation.ts";

/** A side that answers nothing but what the test has it answer. */
function mutedSide() {
  const simulation = new Simulation(1);
  const asked: { readonly id: number; readonly word: string }[] = [];
  let tell: (message: unknown) => void = () => {};
  const line = {
    send: (message: unknown) => void asked.push(message as (typeof asked)[number]),
    receive: (listener: (message: unknown) => void) => {
      tell = listener;
    },
  };
  const client = new SideClient("remote", line, simulation.host("host").clock);
  const stopped = client.ask("stop", null);
  return { client, clock: simulation.clock, asked, stopped, stop: () => tell({ id: asked[0]?.id, answer: null }) };
}

test("who asks a side that has been stopped hears so at once", async () => {
  const { client, clock, stopped, stop } = mutedSide();
  stop();
  await stopped;
  await expect(client.ask("jobs", null)).rejects.toThrow("the remote side has ended, and the program ends");
  await client.freshFacts(500);
  expect(clock.nowMs).toBe(0);
});

test("nothing waits any more for what was asked before it was stopped", async () => {
  const { client, clock, stop } = mutedSide();
  const asked = client.ask("jobs", null);
  const facts = client.freshFacts(500);
  stop();
  await expect(asked).rejects.toThrow("ask again when it runs again");
  await facts;
  expect([clock.nowMs, clock.pendingCount]).toEqual([0, 0]);
});

test("nothing is kept of those who have asked for facts and got them", async () => {
  let tell: (message: unknown) => void = () => {};
  const line = {
    send: (message: unknown) => tell({ id: (message as { readonly id: number }).id, answer: null }),
    receive: (listener: (message: unknown) => void) => {
      tell = listener;
    },
  };
  const client = new SideClient("remote", line, new Simulation(1).host("host").clock);
  // Counts what is left when the collector has been.
  const promises = (): number => queryObjects(Promise, { format: "count" });
  await client.freshFacts(500);
  const before = promises();
  for (let count = 0; count < 1000; count++) await client.freshFacts(500);
  expect(promises() - before).toBeLessThan(100);
});

test("a side that owes as many answers as it may is stopped all the same", async () => {
  const asked: string[] = [];
  const line = {
    send: (message: unknown) => void asked.push((message as { readonly word: string }).word),
    receive: () => {},
  };
  const client = new SideClient("remote", line, new Simulation(1).host("host").clock);
  for (let count = 0; count < sideAsksMax; count++) void client.ask("jobs", null);
  await expect(client.ask("jobs", null)).rejects.toThrow(`has ${sideAsksMax} questions to answer already`);
  void client.ask("stop", null);
  expect(asked.slice(sideAsksMax)).toEqual(["stop"]);
});
