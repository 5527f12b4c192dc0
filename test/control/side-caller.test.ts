import { expect, test } from "vitest";
import type { SideActions } from "#src/control/side.ts";
import { SideCaller } from "#src/control/side-caller.ts";
import { SideClient } from "#src/control/side-client.ts";
import { serveSide } from "#src/control/side-server.ts";
import { RefuseError } from "#src/core/errors.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { memoryLine } from "./http/scripted-side.ts";

function sideThatAsks() {
  const simulation = new Simulation(1);
  const [ours, theirs] = memoryLine(simulation.host("a"));
  const caller = new SideCaller(theirs);
  serveSide(theirs, {} as SideActions, caller);
  const client = new SideClient("remote", ours, simulation.host("b").clock);
  return { caller, client, driver: simDriver(simulation.clock) };
}

const ask = { group: "a", volume: "disk", isBegin: true };

test("what a side asks waits until somebody answers, and each question gets its own answer", async () => {
  const { caller, client, driver } = sideThatAsks();
  const answers = Promise.all([caller.ask(ask), caller.ask({ ...ask, volume: "other" })]);
  client.answerCalls(async ({ volume }) => ({ seq: 7, uri: volume }));
  expect(await driven(driver, answers)).toEqual([
    { seq: 7, uri: "disk" },
    { seq: 7, uri: "other" },
  ]);
});

test("a refusal arrives as one, in its words", async () => {
  const { caller, client, driver } = sideThatAsks();
  client.answerCalls(async () => {
    throw new RefuseError("a host is attached");
  });
  const refused = caller.ask(ask);
  await expect(driven(driver, refused)).rejects.toThrow("a host is attached");
  await expect(refused).rejects.toBeInstanceOf(RefuseError);
});
