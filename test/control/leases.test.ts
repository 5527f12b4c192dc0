import { expect, test } from "vitest";
import { Leases } from "#src/control/leases.ts";
import { Simulation } from "#test/sim/simulation.ts";

function world() {
  const simulation = new Simulation(1);
  const { clock } = simulation;
  const ended: string[] = [];
  const leases = new Leases(simulation.host("a").clock, 100);
  const renew = (key: string): void => leases.renew(key, () => ended.push(key));
  return { clock, leases, ended, renew };
}

test("what nobody asks for again ends, and what is asked for again does not", () => {
  const { clock, ended, renew } = world();
  renew("a");
  renew("b");
  clock.advance(60);
  renew("b");
  clock.advance(60);
  expect(ended).toEqual(["a"]);
  clock.advance(60);
  expect(ended).toEqual(["a", "b"]);
  renew("a");
  clock.advance(101);
  expect(ended).toEqual(["a", "b", "a"]);
});

test("nothing ends any more once they were closed", () => {
  const { clock, leases, ended, renew } = world();
  renew("a");
  leases.close();
  clock.advance(1000);
  expect(ended).toEqual([]);
});
