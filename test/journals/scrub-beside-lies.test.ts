/** A scrub of a store whose service answers wrong, late or not at all: it must not make worse what is whole. */
import { expect, test } from "vitest";
import { RetryError } from "#src/core/errors.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { anyFaults, FaultyObjects } from "#test/store/faulty-objects.ts";
import { FreeWork } from "#test/store/free-work.ts";
import { blockOf, ScrubWorld, unreadableSlots } from "./scrub-world.ts";

test.each([false, true])(
  "fault 21: whatever a service answers while it is scrubbed, a store that is whole stays whole (encrypted: %s)",
  async (isEncrypted) => {
    const whole = await ScrubWorld.make(isEncrypted);
    let faultCount = 0;
    for (let seed = 0; seed < 25; seed++) {
      const world = whole.copy();
      const simulation = new Simulation(seed);
      const driver = simDriver(simulation.clock);
      const { clock } = simulation.host("a");
      const objects = new FaultyObjects({ inner: world.store, clock, random: simulation.random.fork("service") });
      const opened = await world.opened(objects);
      // Every block would have a second copy: what is wrong for a moment is not to be taken for damage that stays.
      const copies = { read: async (_lost: unknown, target: Buffer) => blockOf(1).copy(target) > 0 };
      objects.faults = { ...anyFaults(0.02), delayMsMax: 0 };
      for (let round = 0; round < 4; round++) {
        const done = world.scrub({ ...opened, copies }).then((scrub) => scrub.run(new FreeWork(), { isAnew: true }));
        const failure = await driven(
          driver,
          done.catch((error: Error) => error),
        );
        if (failure instanceof Error) expect(failure, failure.stack).toBeInstanceOf(RetryError);
      }
      faultCount += objects.faultCount;
      objects.faults = { chances: {}, delayMsMax: 0, lateMsMax: 0 };
      await simulation.clock.settle();
      const { findings } = (await world.scrubbed()).state;
      expect(findings, `seed ${seed}`).toEqual([]);
      expect(await unreadableSlots(await world.read()), `seed ${seed}`).toEqual(new Set());
    }
    expect(faultCount).toBeGreaterThan(100);
  },
);
