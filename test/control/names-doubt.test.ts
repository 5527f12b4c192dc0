/** The note that nobody knows which names of the store are on its disk, where the disk of the note has failed as well. */
import { expect, test } from "vitest";
import { NamesDoubt } from "#src/control/names-doubt.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

async function noted() {
  const simulation = new Simulation(1);
  const host = simulation.host("a");
  const open = () => NamesDoubt.open(host, "/names-doubt.json");
  await driven(simDriver(simulation.clock), open().note("nobody knows what is in /store/segments"));
  const flip = (bit: number) => host.disk.fileAt("/names-doubt.json").flipBit(90, bit);
  return { host, open, flip };
}

test("fault 18: a turned bit in the note is turned back, and it holds", async () => {
  const { open, flip } = await noted();
  const before = open().trouble;
  flip(2);
  expect([before, open().trouble]).toEqual([expect.stringContaining("/store/segments"), before]);
});

test("fault 18: a note that nobody can read counts until somebody says that the store was mounted anew", async () => {
  const { open, flip, host } = await noted();
  for (const bit of [1, 2]) flip(bit);
  const doubt = open();
  expect(doubt.trouble).toMatch(/^\/names-doubt.json is damaged: .*'tidemark store retry --remounted'\)$/);
  expect(() => doubt.assertNone()).toThrow("nothing more is written");
  doubt.clear();
  expect([doubt.trouble, open().trouble, host.files.exists("/names-doubt.json")]).toEqual([
    undefined,
    undefined,
    false,
  ]);
});
