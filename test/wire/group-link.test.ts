/** The two ends of a group's link against each other. */
import { describe, expect, test } from "vitest";
import { AssertionError } from "#src/core/assert.ts";
import { RefuseError, ResyncError } from "#src/core/errors.ts";
import { wireBulkBytesMax } from "#src/core/limits.ts";
import { driven } from "#test/contract/driver.ts";
import { piecesOf } from "#test/contract/socket-pair.ts";
import { groupWorld, pass, someHello, worldThatIsUp } from "./group-world.ts";

test.each([new AssertionError("a fact of its own does not hold"), new TypeError("nothing has no length")])(
  "a fault of the program in what a frame brings about ends the thread, not the connection alone: %s",
  async (fault) => {
    const world = await worldThatIsUp();
    world.sessions.last.onBatches = () => {
      throw fault;
    };
    world.client.ship([Buffer.alloc(512)]);
    await expect(pass(world, 1_000)).rejects.toThrow(fault);
  },
);

describe("the beginning", () => {
  test("the remote is told who connects, and the local appliance where the remote is", async () => {
    const world = await groupWorld();
    world.sessions.welcome = { received: 30, durable: 20, stored: 10, epoch: 2, bootId: "abc" };
    world.client.start();
    await world.driver.until(() => world.client.isUp);
    expect(world.sessions.last.hello).toEqual(someHello);
    expect(world.owner.welcomes).toEqual([{ received: 30, durable: 20, stored: 10, epoch: 2, bootId: "abc" }]);
  });

  test("a remote that is not there yet is found when it is", async () => {
    const world = await groupWorld();
    world.remote.kill();
    world.client.start();
    await pass(world, 60_000);
    expect(world.owner.events).not.toContain("up");
    await world.server.listen({ kind: "tcp", host: "remote", port: 7900 });
    await world.driver.until(() => world.client.isUp);
    expect(world.owner.downs).toEqual([]);
  });

  test.each([new RefuseError("the group is not known here"), new ResyncError("epoch 2 was never here")])(
    "a remote that says no is heard, and asked again rarely: %s",
    async (error) => {
      const world = await groupWorld();
      world.sessions.refuseWith = error;
      world.client.start();
      await pass(world, 60_000);
      expect(world.owner.refusals[0]).toBeInstanceOf(error.constructor);
      expect(world.owner.refusals[0]?.message).toBe(error.message);
      expect(world.owner.refusals.length).toBeGreaterThan(2);
      expect(world.owner.refusals.length).toBeLessThan(10);
      world.sessions.refuseWith = undefined;
      await world.driver.until(() => world.client.isUp);
    },
  );

  test("the hello is made anew for each connection", async () => {
    const world = await worldThatIsUp();
    world.owner.helloToSay = { ...someHello, lastSeq: 99 };
    world.network.cut("local", "remote");
    await world.driver.until(() => world.sessions.opened.length === 2);
    expect(world.sessions.last.hello.lastSeq).toBe(99);
  });

  test("a peer that leaves while its session is being opened leaves no session behind", async () => {
    const world = await groupWorld();
    world.sessions.onOpen = () => world.network.cut("local", "remote");
    world.client.start();
    await world.driver.until(() => world.sessions.opened.length === 3);
    await pass(world, 50);
    expect(world.sessions.opened.map(({ closedCount }) => closedCount)).toEqual([1, 1, 1]);
    expect(world.owner.events).not.toContain("up");
  });
});

describe("batches", () => {
  test("arrive as they were shipped, in their order", async () => {
    const world = await worldThatIsUp();
    const pieces = piecesOf(3, [512, 70_000, 1024, 300_000, 2_000_000, 512, 4096]);
    let count = 0;
    const shipOn = (): void => {
      while (count < pieces.length && world.client.mayShipBytes > 0) {
        const piece = pieces[count++] as Buffer;
        world.client.ship([piece]);
      }
    };
    world.owner.onMayShip = shipOn;
    shipOn();
    await world.driver.until(() => world.sessions.last.batchBodies.length === pieces.length);
    expect(world.sessions.last.bytes.equals(Buffer.concat(pieces))).toBe(true);
    expect(world.sessions.last.endOfReadCount).toBeGreaterThan(0);
    expect(world.owner.downs).toEqual([]);
  });

  test("no more may be shipped than there is credit for, and credit is told of", async () => {
    const world = await groupWorld();
    world.sessions.creditBytes = 1536;
    world.client.start();
    await world.driver.until(() => world.client.mayShipBytes > 0);
    expect(world.client.mayShipBytes).toBe(1536);
    world.client.ship([Buffer.alloc(1024)]);
    await world.driver.until(() => world.sessions.last.bytes.length === 1024);
    expect(world.client.mayShipBytes).toBe(512);
    const told = world.owner.countOf("mayShip");
    world.sessions.last.session.giveCredit(4096);
    await world.driver.until(() => world.owner.countOf("mayShip") > told);
    expect(world.client.mayShipBytes).toBe(4608);
  });

  test("nothing may be shipped while the last bytes are not taken, and never more than a frame holds", async () => {
    const world = await worldThatIsUp();
    expect(world.client.mayShipBytes).toBe(wireBulkBytesMax);
    world.network.path("local", "remote").hold();
    const isTaken = world.client.ship([Buffer.alloc(1_000_000)]);
    expect([isTaken, world.client.mayShipBytes]).toEqual([false, 0]);
    const told = world.owner.countOf("mayShip");
    world.network.path("local", "remote").release();
    await world.driver.until(() => world.owner.countOf("mayShip") > told);
    expect(world.client.mayShipBytes).toBe(wireBulkBytesMax);
  });

  test("what the remote throws ends the connection, and its words arrive", async () => {
    const world = await worldThatIsUp();
    world.sessions.last.onBatches = () => {
      throw new ResyncError("seq 7 was expected, 9 came");
    };
    world.client.ship([Buffer.alloc(512)]);
    await world.driver.until(() => world.owner.refusals.length === 1);
    expect(world.owner.downs).toEqual(["seq 7 was expected, 9 came"]);
    expect(world.owner.refusals[0]).toBeInstanceOf(ResyncError);
    expect(world.sessions.last.closedCount).toBe(1);
  });
});

describe("watermarks and questions", () => {
  test("watermarks arrive, and a question for durability too", async () => {
    const world = await worldThatIsUp();
    world.client.askDurable(17);
    await world.driver.until(() => world.sessions.last.asked.length === 1);
    expect(world.sessions.last.asked).toEqual([17]);
    world.sessions.last.session.sendWatermarks({ received: 20, durable: 17, stored: 17 });
    await world.driver.until(() => world.owner.marks.length === 1);
    expect(world.owner.marks).toEqual([{ received: 20, durable: 17, stored: 17 }]);
  });

  test("a peer that takes nothing makes neither of them grow: the last one is told", async () => {
    const world = await worldThatIsUp();
    const { session } = world.sessions.last;
    for (const [from, to] of [
      ["local", "remote"],
      ["remote", "local"],
    ] as const) {
      world.network.path(from, to).hold();
    }
    session.sendBatch(Buffer.alloc(500_000), 0, 500_000);
    world.client.ship([Buffer.alloc(500_000)]);
    for (let seq = 1; seq <= 100_000; seq++) {
      session.sendWatermarks({ received: seq, durable: 0, stored: 0 });
      world.client.askDurable(seq);
    }
    void world.client.fetch(0, () => {});
    world.network.path("local", "remote").release();
    world.network.path("remote", "local").release();
    await world.driver.until(() => world.owner.marks.length > 0 && world.sessions.last.asked.length > 0);
    expect(world.owner.marks).toEqual([{ received: 100_000, durable: 0, stored: 0 }]);
    expect(world.sessions.last.asked).toEqual([100_000]);
  });
});

describe("fetching", () => {
  test("batches come one by one, and then the end", async () => {
    const world = await worldThatIsUp();
    const pieces = piecesOf(9, [512, 600_000, 1024, 1_100_288]);
    const fetched: Buffer[] = [];
    const fetching = world.client.fetch(41, (batch) => fetched.push(Buffer.from(batch)));
    await world.driver.until(() => world.sessions.last.fetches.length === 1);
    expect(world.sessions.last.fetches).toEqual([41]);
    for (const piece of pieces) {
      const told = world.sessions.last.drainedCount;
      const isTaken = world.sessions.last.session.sendBatch(piece, 0, piece.length);
      if (!isTaken) await world.driver.until(() => world.sessions.last.drainedCount > told);
    }
    world.sessions.last.session.endFetch();
    await driven(world.driver, fetching);
    expect(fetched.map((batch) => batch.length)).toEqual(pieces.map((piece) => piece.length));
    expect(Buffer.concat(fetched).equals(Buffer.concat(pieces))).toBe(true);
  });

  test("a fetch ends with the link", async () => {
    const world = await worldThatIsUp();
    const fetching = world.client.fetch(41, () => {});
    await world.driver.until(() => world.sessions.last.fetches.length === 1);
    world.network.cut("local", "remote");
    await expect(driven(world.driver, fetching)).rejects.toThrow("the link was lost during a fetch");
  });

  test("what cannot be taken ends the fetch and the connection", async () => {
    const world = await worldThatIsUp();
    const fetching = world.client.fetch(41, () => {
      throw new Error("this batch is none");
    });
    await world.driver.until(() => world.sessions.last.fetches.length === 1);
    world.sessions.last.session.sendBatch(Buffer.alloc(512), 0, 512);
    await expect(driven(world.driver, fetching)).rejects.toThrow("this batch is none");
    await world.driver.until(() => world.owner.downs.length === 1);
  });

  test("nothing is fetched over a link that is down", async () => {
    const world = await groupWorld();
    await expect(world.client.fetch(0, () => {})).rejects.toThrow("the link is down");
  });
});

describe("the end", () => {
  test("a link that is stopped says farewell, and nobody is called any more", async () => {
    const world = await worldThatIsUp();
    const before = world.owner.events.length;
    await driven(world.driver, world.client.stop());
    await world.driver.until(() => world.sessions.last.closedCount === 1);
    await pass(world, 100_000);
    expect(world.owner.events.length).toBe(before);
    expect(world.trace.lines.join("\n")).toContain("the local appliance stops");
    expect([world.network.standingCount, world.server.connectionCount]).toEqual([0, 0]);
  });

  test("a link can be stopped at any moment, and nothing is left of it", async () => {
    for (let stepCount = 0; stepCount < 60; stepCount++) {
      const world = await groupWorld({ seed: stepCount });
      world.client.start();
      let steps = 0;
      await world.driver.until(() => steps++ === stepCount);
      await driven(world.driver, world.client.stop());
      const before = world.owner.events.length;
      await pass(world, 30_000);
      expect(world.owner.events.length).toBe(before);
      expect([world.network.standingCount, world.server.connectionCount]).toEqual([0, 0]);
    }
  });

  test("what was shipped before a stop leaves before the farewell", async () => {
    const world = await worldThatIsUp();
    world.client.ship([Buffer.alloc(900_000, 3)]);
    await driven(world.driver, world.client.stop());
    await world.driver.until(() => world.sessions.last.closedCount === 1);
    expect(world.sessions.last.bytes.equals(Buffer.alloc(900_000, 3))).toBe(true);
  });

  test("a remote that stops says so, and is reached again when it is back", async () => {
    const world = await worldThatIsUp();
    await driven(world.driver, world.server.close());
    await world.driver.until(() => world.owner.downs.length === 1);
    expect(world.owner.downs).toEqual(["the remote appliance stops"]);
  });

  test("a link that is told to reconnect does", async () => {
    const world = await worldThatIsUp();
    world.client.reconnect("the watermarks make no sense");
    expect(world.client.isUp).toBe(false);
    await world.driver.until(() => world.owner.countOf("up") === 2);
    expect(world.owner.downs).toEqual(["the watermarks make no sense"]);
    expect(world.sessions.opened[0]?.closedCount).toBe(1);
  });

  test("a session that the remote closes is closed at both ends, with the reason", async () => {
    const world = await worldThatIsUp();
    world.sessions.last.session.close("another writer has come");
    await world.driver.until(() => world.owner.downs.length === 1);
    expect(world.owner.downs).toEqual(["another writer has come"]);
    expect(world.sessions.last.closedCount).toBe(1);
  });
});
