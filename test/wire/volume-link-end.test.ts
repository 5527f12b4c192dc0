/** A volume's link: promises, and how it ends. */
import { describe, expect, test } from "vitest";
import { ReconnectError, RetryError, StopError } from "#src/core/errors.ts";
import { driven } from "#test/contract/driver.ts";
import { pass } from "./group-world.ts";
import { attach, attachedWorld, blocksOf, someVolume, volumeWorld, write } from "./volume-world.ts";

describe("flushes and what is durable", () => {
  test("a flush is answered when the appliance has done it, behind all that was added before", async () => {
    const { link, appliance, receiver, driver, clock } = await attachedWorld();
    write(link, 1, 0, 4);
    let answer: Error | null | undefined;
    link.flush((error) => {
      answer = error;
    });
    await driver.until(() => appliance.link.flushes.length === 1);
    expect(appliance.records.length).toBe(1);
    await pass({ clock, driver }, 100);
    expect(answer).toBeUndefined();
    appliance.link.flushes[0]?.(null);
    await driver.until(() => answer !== undefined);
    expect([answer, receiver.acknowledgedOrdinal]).toEqual([null, 1]);
  });

  test.each([false, true])("that a flush needed the remote is passed on: %s", async (neededRemote) => {
    const { link, appliance, driver } = await attachedWorld();
    let answer: boolean | undefined;
    link.flush((_error, needed) => {
      answer = needed;
    });
    await driver.until(() => appliance.link.flushes.length === 1);
    appliance.link.flushes[0]?.(null, neededRemote);
    await driver.until(() => answer !== undefined);
    expect(answer).toBe(neededRemote);
  });

  test("a flush that fails says why", async () => {
    const { link, appliance, driver } = await attachedWorld();
    let answer: Error | null = null;
    link.flush((error) => {
      answer = error;
    });
    await driver.until(() => appliance.link.flushes.length === 1);
    appliance.link.flushes[0]?.(new StopError("the spool's disk has failed"));
    await driver.until(() => answer !== null);
    expect(answer).toEqual(new StopError("the spool's disk has failed"));
    expect(answer).toBeInstanceOf(StopError);
  });

  test("a flush waits behind records that have no room yet", async () => {
    const { link, appliance, driver, clock } = await attachedWorld();
    appliance.link.roomBlocks = 0;
    write(link, 1, 0, 4);
    link.flush(() => {});
    await pass({ clock, driver }, 100);
    expect(appliance.link.flushes.length).toBe(0);
    appliance.link.roomBlocks = 100;
    appliance.link.receiver.roomAgain();
    await driver.until(() => appliance.link.flushes.length === 1);
    expect(appliance.records.length).toBe(1);
  });

  test("what the source has durably is told, the last of it if there is much", async () => {
    const { link, appliance, driver } = await attachedWorld();
    write(link, 1, 0, 1);
    link.commit();
    link.reportDurable(1);
    await driver.until(() => appliance.link.durableOrdinals.at(-1) === 1);
  });
});

describe("the end", () => {
  test("a lost connection is told once, with all flushes that waited, and can be attached anew", async () => {
    const { link, receiver, driver, network, appliance, ...world } = await attachedWorld();
    write(link, 1, 0, 4);
    const answers: (Error | null)[] = [];
    link.flush((error) => answers.push(error));
    await driver.until(() => appliance.link.flushes.length === 1);
    network.cut("local", "local");
    await driver.until(() => receiver.losses.length === 1 && appliance.links[0]?.isDetached === true);
    expect(receiver.losses[0]).toBeInstanceOf(ReconnectError);
    expect(answers.length).toBe(1);
    expect(link.hasRoomFor(1)).toBe(false);
    appliance.links[0]?.flushes[0]?.(null);
    const again = await driven(driver, world.client.attach(someVolume, 0, receiver));
    expect(again.lastOrdinal).toBe(1);
    await driver.until(() => again.link.hasRoomFor(1));
    expect(answers.length).toBe(1);
  });

  test("an appliance that can protect no more says so", async () => {
    const { receiver, driver, appliance } = await attachedWorld();
    appliance.link.receiver.lost(new StopError("the spool's disk has failed"));
    await driver.until(() => receiver.losses.length === 1);
    expect(receiver.losses[0]).toBeInstanceOf(StopError);
    expect(receiver.losses[0]?.message).toBe("the spool's disk has failed");
  });

  test("a volume that is detached is free at once, and its interceptor is not called any more", async () => {
    const { link, receiver, driver, appliance, server } = await attachedWorld();
    link.detach();
    await driver.until(() => !appliance.isClaimed && server.connectionCount === 0);
    expect([receiver.losses, appliance.link.isDetached]).toEqual([[], true]);
    expect(link.hasRoomFor(1)).toBe(false);
  });

  test("batches that were made and never left give their memory back", async () => {
    const world = await volumeWorld();
    for (let round = 0; round < 50; round++) {
      const { link } = await attach(world);
      await world.driver.until(() => link.hasRoomFor(1));
      world.network.path("local", "local").hold();
      for (let count = 0; count < 3; count++) {
        write(link, count, 0, 250);
        link.commit();
      }
      world.network.cut("local", "local");
      world.network.path("local", "local").release();
      await world.driver.until(() => world.receiver.losses.length > round && !world.appliance.isClaimed);
    }
    expect(world.client.slabCount).toBeLessThanOrEqual(2);
  });

  test("fault 27: a thousand flaps leave no connection, timer or memory behind", async () => {
    const world = await volumeWorld();
    for (let flap = 1; flap <= 1000; flap++) {
      const { link } = await attach(world);
      await world.driver.until(() => link.hasRoomFor(8));
      link.addWrite(0, 8, blocksOf(flap, 8), 0);
      if (flap % 3 > 0) link.commit();
      if (flap % 2 > 0) world.network.cut("local", "local");
      else link.detach();
      await world.driver.until(() => !world.appliance.isClaimed);
    }
    await pass(world, 20_000);
    expect([world.network.standingCount, world.server.connectionCount, world.clock.pendingCount]).toEqual([0, 0, 0]);
    expect(world.client.slabCount).toBeLessThanOrEqual(2);
  });
});

describe("a volume that was removed", () => {
  test("is told of on a connection of its own, which ends with the answer", async () => {
    const { client, server, appliance, driver } = await volumeWorld();
    await driven(driver, client.forgetVolume(someVolume.id));
    expect([appliance.forgotten, appliance.attachments]).toEqual([[someVolume.id], []]);
    await driver.until(() => server.connectionCount === 0);
  });

  test("is told of again later, where the appliance has not noticed yet that it was let go of", async () => {
    const { link, client, appliance, driver } = await attachedWorld();
    await expect(driven(driver, client.forgetVolume(someVolume.id))).rejects.toEqual(
      new RetryError("the volume is attached"),
    );
    link.detach();
    await driver.until(() => appliance.link.isDetached);
    await driven(driver, client.forgetVolume(someVolume.id));
    expect(appliance.forgotten).toEqual([someVolume.id]);
  });

  test("is told of to nobody, where no appliance is", async () => {
    const { client, server, driver } = await volumeWorld();
    await driven(driver, server.close());
    await expect(driven(driver, client.forgetVolume(someVolume.id))).rejects.toBeInstanceOf(ReconnectError);
  });
});
