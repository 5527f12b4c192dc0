/** What is made of a source, and what is left of it when that fails. */
import { expect, test } from "vitest";
import { createSource, measureSource, openSource } from "#src/control/volume-source.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

test("a source that could not be made as it should be is not left over", async () => {
  const { clock, host } = machine();
  host.disk.failNext("sync");
  await expect(driven(simDriver(clock), createSource(host, "/disk", 4096))).rejects.toThrow("/disk could not be made");
  expect(host.files.exists("/disk")).toBe(false);
  await driven(simDriver(clock), createSource(host, "/disk", 4096));
  expect(host.files.exists("/disk")).toBe(true);
});

test("only who adds a source that is not there is told how to make it", async () => {
  const { host } = machine();
  await expect(measureSource(host, "/disk")).rejects.toThrow("/disk: there is no such file; --size would make it");
  await expect(openSource(host, "/disk")).rejects.toThrow(/^\/disk: there is no such file$/);
});

function machine() {
  const simulation = new Simulation(1);
  return { clock: simulation.clock, host: simulation.host("a") };
}
