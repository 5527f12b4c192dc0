/** What becomes of a group's link when the network is not what it should be. */
import { describe, expect, test } from "vitest";
import { KiB, wireSilenceMs } from "#src/core/limits.ts";
import type { BandwidthPolicy } from "#src/wire/bandwidth.ts";
import { BandwidthGate } from "#src/wire/bandwidth-gate.ts";
import { frameType } from "#src/wire/frame.ts";
import { driven } from "#test/contract/driver.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { type GroupWorld, groupWorld, pass, remoteAddress, type WorldOptions, worldThatIsUp } from "./group-world.ts";
import { NumberedExchange } from "./numbered-batches.ts";
import { asItIs, type Tamper, tamperingProxy } from "./tampering-proxy.ts";

const proxyAddress = { kind: "tcp", host: "proxy", port: 7999 } as const;

async function proxiedWorld(seed = 1, options: WorldOptions = {}) {
  const world = await groupWorld({ seed, by: proxyAddress, ...options });
  const tampering = await tamperingProxy(world.simulation.host("proxy"), proxyAddress, remoteAddress);
  return { ...world, tampering };
}

describe("fault 22: a partition", () => {
  test("ends the link at both ends, and it comes back by itself", async () => {
    const world = await worldThatIsUp();
    for (const [from, to] of [
      ["local", "remote"],
      ["remote", "local"],
    ] as const) {
      world.network.path(from, to).hold();
    }
    await world.driver.until(() => world.owner.downs.length === 1 && world.sessions.opened[0]?.closedCount === 1);
    await pass(world, 60_000);
    expect(world.owner.countOf("up")).toBe(1);
    for (const [from, to] of [
      ["local", "remote"],
      ["remote", "local"],
    ] as const) {
      world.network.path(from, to).release();
    }
    await world.driver.until(() => world.owner.countOf("up") === 2);
  });

  test("a cut in the middle of batches loses and doubles none", async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const world = await groupWorld({ seed });
      const exchange = new NumberedExchange(world, 60);
      const random = new SeededRandom(seed);
      world.client.start();
      let left = 12;
      while (!exchange.isComplete) {
        let steps = random.integerBelow(80);
        await world.driver.until(() => exchange.isComplete || steps-- <= 0);
        if (left-- > 0) world.network.cut("local", "remote");
      }
      expect(exchange.applied).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    }
  });
});

describe("fault 23: a half-open connection", () => {
  test.each([
    ["local", "remote"],
    ["remote", "local"],
  ])("from %s to %s is found by its silence, at both ends", async (from, to) => {
    const world = await worldThatIsUp();
    const beganMs = world.clock.nowMs;
    world.network.halfOpen(from, to);
    await world.driver.until(() => world.owner.downs.length === 1 && world.sessions.opened[0]?.closedCount === 1);
    expect(world.clock.nowMs - beganMs).toBeLessThan(2 * wireSilenceMs + 2000);
    expect([...world.owner.downs, ...world.trace.lines].join("\n")).toContain("nothing was heard");
    await world.driver.until(() => world.owner.countOf("up") === 2);
  });

  test("a link that rests for an hour stands, and costs a beat per second", async () => {
    const world = await worldThatIsUp();
    await pass(world, 3_600_000);
    expect(world.owner.downs).toEqual([]);
    expect(world.sessions.opened.length).toBe(1);
  });

  test("a slow way is no dead one", async () => {
    const world = await worldThatIsUp();
    for (const [from, to] of [
      ["local", "remote"],
      ["remote", "local"],
    ] as const) {
      world.network.path(from, to).delayMs = 3000;
    }
    await pass(world, 600_000);
    expect(world.owner.downs).toEqual([]);
  });

  test("who was asleep himself does not take it for the other's death", async () => {
    const world = await worldThatIsUp();
    world.clock.elapse(20 * wireSilenceMs);
    await pass(world, 60_000);
    expect(world.owner.downs).toEqual([]);
  });
});

/** From the fourth frame on: the link is up then. */
async function exchangeWith(seed: number, there: Tamper, back: Tamper = asItIs, options: WorldOptions = {}) {
  const world = await proxiedWorld(seed, options);
  const exchange = new NumberedExchange(world, 40);
  world.client.start();
  await world.driver.until(() => world.client.isUp);
  world.tampering.there = there;
  world.tampering.back = back;
  await world.driver.until(() => exchange.isComplete);
  expect(exchange.applied).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  return { world, exchange };
}

const slowly: BandwidthPolicy = { bytesPerSecond: 64 * KiB, hours: [] };

/** Does it with some of the frames, but not for ever. */
function sometimes(seed: number, tamper: (frame: Buffer, random: SeededRandom) => readonly Buffer[]): Tamper {
  const random = new SeededRandom(seed);
  let left = 8;
  return (frame) => {
    if (left === 0 || !random.chance(0.2)) return [frame];
    left--;
    return tamper(frame, random);
  };
}

const seeds = [1, 2, 3, 4, 5, 6, 7, 8];

describe("fault 24: frames that are not where they belong", () => {
  test.each(seeds)("doubled ones are found, and nothing is applied twice (seed %i)", async (seed) => {
    const { world } = await exchangeWith(
      seed,
      sometimes(seed, (frame) => [frame, frame]),
    );
    expect(reasons(world)).toContain("should have come");
  });

  test.each(seeds)("those out of order are found (seed %i)", async (seed) => {
    let held: Buffer | undefined;
    const swap = sometimes(seed, (frame) => {
      held = frame;
      return [];
    });
    const { world } = await exchangeWith(seed, (frame, index) => {
      if (held === undefined) return swap(frame, index);
      const late = held;
      held = undefined;
      return [frame, late];
    });
    expect(reasons(world)).toContain("should have come");
  });

  test.each(seeds)("a missing one is found, and shipped again (seed %i)", async (seed) => {
    const { world } = await exchangeWith(
      seed,
      sometimes(seed, () => []),
    );
    expect(reasons(world)).toMatch(/should have come|nothing was heard|hung up|cut/);
  });

  test("a whole conversation that is played again opens nothing", async () => {
    const world = await proxiedWorld();
    const recorded: Buffer[] = [];
    world.tampering.there = (frame) => {
      recorded.push(Buffer.from(frame));
      return [frame];
    };
    world.client.start();
    await world.driver.until(() => world.client.isUp);
    const thief = await driven(world.driver, world.simulation.host("thief").sockets.connect(remoteAddress, 1000));
    let isClosed = false;
    thief.start({
      target: () => Buffer.alloc(1000),
      received: () => false,
      drained: () => {},
      ended: () => thief.end(),
      closed: () => {
        isClosed = true;
      },
    });
    thief.sendAll(recorded);
    await world.driver.until(() => isClosed);
    expect(world.sessions.opened.length).toBe(1);
    expect(reasons(world)).toContain("the token is not the right one");
  });
});

describe("fault 25: frames that were altered", () => {
  test.each(seeds)("on their way to the remote are rejected and sent again (seed %i)", async (seed) => {
    const { world } = await exchangeWith(seed, sometimes(seed, turnedBit));
    expect(reasons(world)).toContain("altered");
  });

  test.each(seeds)(
    "on their way to the remote while compressed are rejected and sent again (seed %i)",
    async (seed) => {
      let alteredCount = 0;
      const alter = sometimes(seed, (frame, random) => {
        alteredCount++;
        return turnedBit(frame, random);
      });
      const { world } = await exchangeWith(
        seed,
        (frame, index) => (frame[5] === frameType.compressedBatches ? alter(frame, index) : [frame]),
        asItIs,
        { link: (local) => ({ mayCompress: true, gate: new BandwidthGate(slowly, local.clock, () => 0) }) },
      );
      expect(alteredCount).toBeGreaterThan(0);
      expect(world.owner.refusals).toEqual([]);
      expect(reasons(world)).toContain("a frame was altered on its way");
    },
  );

  test.each(seeds)("on their way back are rejected, and the link comes back (seed %i)", async (seed) => {
    await exchangeWith(seed, asItIs, sometimes(seed, turnedBit));
  });
});

function turnedBit(frame: Buffer, random: SeededRandom): readonly Buffer[] {
  const bytes = Buffer.from(frame);
  const at = random.integerBelow(bytes.length);
  // Batches end with zeros that say nothing and are not looked at by anyone.
  const isPadding = bytes.length > 4096 && at >= bytes.length - 512;
  if (!isPadding) bytes[at] = (bytes[at] as number) ^ (1 << random.integerBelow(8));
  return [bytes];
}

describe("fault 27: a thousand flaps", () => {
  test("leave no connection, timer or memory behind", async () => {
    const world = await worldThatIsUp();
    const count = (): number => world.owner.countOf("up");
    const timersAt: number[] = [];
    for (let flap = 0; flap < 1000; flap++) {
      const before = count();
      world.network.cut("local", "remote");
      await world.driver.until(() => count() > before);
      if (flap % 250 === 249) {
        await pass(world, 10_000);
        timersAt.push(world.clock.pendingCount);
      }
    }
    expect(world.network.standingCount).toBe(1);
    expect(world.server.connectionCount).toBe(1);
    expect(world.sessions.opened.filter(({ closedCount }) => closedCount === 1).length).toBe(1000);
    expect(Math.max(...timersAt)).toBeLessThan(12);
  });
});

function reasons(world: Pick<GroupWorld, "owner" | "trace">): string {
  return [...world.owner.downs, ...world.owner.refusals.map(String), ...world.trace.lines].join("\n");
}
