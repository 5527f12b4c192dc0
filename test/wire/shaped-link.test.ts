/** A group's link that is slow: compressed where that helps, and kept to a limit. */
import { describe, expect, test } from "vitest";
import { MiB } from "#src/core/limits.ts";
import { BandwidthGate } from "#src/wire/bandwidth-gate.ts";
import { encodeWelcome, takesCompressed } from "#src/wire/group-messages.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { type GroupWorld, pass, worldThatIsUp, zeroMarks } from "./group-world.ts";

const pieceBytes = 64 * 1024;

/** Ships as many pieces as the link takes, one after the other, until all have arrived. */
async function shipAll(world: GroupWorld, pieces: readonly Buffer[]): Promise<void> {
  let count = 0;
  const shipOn = (): void => {
    while (count < pieces.length && world.client.mayShipBytes >= pieceBytes) {
      if (!world.client.ship([pieces[count++] as Buffer])) return;
    }
  };
  world.owner.onMayShip = shipOn;
  shipOn();
  const before = world.sessions.last.bytes.length;
  await world.driver.until(() => world.sessions.last.bytes.length === before + pieces.length * pieceBytes);
  expect(world.sessions.last.bytes.subarray(before).equals(Buffer.concat(pieces))).toBe(true);
}

const plainText = (count: number) =>
  Array.from({ length: count }, (_, index) => Buffer.alloc(pieceBytes, `row ${index}`));

function noise(count: number): Buffer[] {
  const random = new SeededRandom(1);
  return Array.from({ length: count }, () => random.bytes(pieceBytes));
}

/** Each piece of 64 KiB takes several turns of the socket, a few milliseconds each. */
function slow(world: GroupWorld): void {
  world.network.path("local", "remote").delayMs = 5;
  world.network.path("local", "remote").pipeCapacitiesBytes = [4096];
}

const compressing = { link: () => ({ mayCompress: true }) };

describe("compression", () => {
  test("begins when a link was waited for, and what arrives is the same", async () => {
    const world = await worldThatIsUp(compressing);
    world.network.cut("local", "remote");
    slow(world);
    await world.driver.until(() => world.owner.countOf("up") === 2 && world.client.mayShipBytes > 0);
    await shipAll(world, plainText(40));
    const { batchBytes, wireBytes } = world.client.traffic;
    expect(batchBytes).toBe(40 * pieceBytes);
    expect(wireBytes).toBeLessThan(4 * pieceBytes);
  });

  test("is not for what does not shrink", async () => {
    const world = await worldThatIsUp(compressing);
    slow(world);
    await shipAll(world, noise(20));
    expect(world.client.traffic.wireBytes).toBe(20 * pieceBytes);
  });

  test("is not for a link that takes everything at once", async () => {
    const world = await worldThatIsUp(compressing);
    for (const piece of plainText(20)) {
      world.client.ship([piece]);
      await pass(world, 1_000);
    }
    expect(world.client.traffic.wireBytes).toBe(20 * pieceBytes);
  });

  test("is not done unless it was asked for", async () => {
    const world = await worldThatIsUp();
    slow(world);
    await shipAll(world, plainText(20));
    expect(world.client.traffic.wireBytes).toBe(20 * pieceBytes);
  });

  test("is known by what a welcome says of it", () => {
    const welcome = encodeWelcome({ ...zeroMarks, epoch: 1, bootId: "b" });
    expect(takesCompressed(welcome)).toBe(true);
    expect(takesCompressed(Buffer.from('{"epoch":1,"received":0}'))).toBe(false);
    expect(takesCompressed(Buffer.from('{"compression":"another"}'))).toBe(false);
  });
});

describe("a limit", () => {
  const limited = (bytesPerSecond: number, mayCompress = false) => ({
    link: (local: GroupWorld["local"]) => ({
      mayCompress,
      gate: new BandwidthGate({ bytesPerSecond, hours: [] }, local.clock, () => 0),
    }),
  });

  test("is kept to over time, while the link stands", async () => {
    const world = await worldThatIsUp(limited(pieceBytes));
    const beganMs = world.clock.nowMs;
    await shipAll(world, noise(30));
    const seconds = (world.clock.nowMs - beganMs) / 1000;
    expect(seconds).toBeGreaterThan(28);
    expect(seconds).toBeLessThan(31);
    expect(world.owner.downs).toEqual([]);
  });

  test("counts what goes over the wire, for which it makes compression worth while", async () => {
    const world = await worldThatIsUp(limited(pieceBytes, true));
    const beganMs = world.clock.nowMs;
    await shipAll(world, plainText(60));
    expect((world.clock.nowMs - beganMs) / 1000).toBeLessThan(10);
  });

  test("that is reached is waited for by whoever asks, also when somebody else has reached it", async () => {
    const world = await worldThatIsUp(limited(MiB));
    world.client.ship([Buffer.alloc(2 * MiB)]);
    await world.driver.until(() => world.sessions.last.bytes.length === 2 * MiB);
    expect(world.client.mayShipBytes).toBe(0);
    const told = world.owner.countOf("mayShip");
    await pass(world, 5_000);
    expect(world.owner.countOf("mayShip")).toBe(told + 1);
    expect(world.client.mayShipBytes).toBeGreaterThan(0);
  });
});
