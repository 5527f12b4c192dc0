import { expect, test } from "vitest";
import type { Connection, Listener } from "#src/host/socket.ts";
import { driven } from "#test/contract/driver.ts";
import { RecordingPeer } from "#test/contract/recording-peer.ts";
import { simDriver } from "./sim-driver.ts";
import { Simulation } from "./simulation.ts";

const address = { kind: "tcp", host: "b", port: 7879 } as const;

async function world(seed = 1) {
  const simulation = new Simulation(seed);
  const [a, b] = [simulation.host("a"), simulation.host("b")];
  const driver = simDriver(simulation.clock);
  const accepted: RecordingPeer[] = [];
  const listen = (): Promise<Listener> =>
    b.sockets.listen({ ...address, host: "0.0.0.0" }, (connection: Connection) => {
      accepted.push(new RecordingPeer(connection).start());
    });
  await driven(driver, listen());
  const connect = async (): Promise<RecordingPeer> =>
    new RecordingPeer(await driven(driver, a.sockets.connect(address, 1000))).start();
  return { simulation, a, b, driver, accepted, connect, listen, network: simulation.network };
}

async function connectedWorld(seed = 1) {
  const it = await world(seed);
  const client = await it.connect();
  await it.driver.until(() => it.accepted.length === 1);
  return { ...it, client, server: it.accepted[0] as RecordingPeer };
}

test("a delay is of one direction", async () => {
  const { client, server, network, driver, a } = await connectedWorld();
  network.path("a", "b").delayMs = 5000;
  const beganMs = a.clock.monotonicMs();
  server.sendPieces([Buffer.from("fast")]);
  client.sendPieces([Buffer.from("slow")]);
  await driver.until(() => client.receivedBytes === 4);
  expect(a.clock.monotonicMs() - beganMs).toBeLessThan(100);
  await driver.until(() => server.receivedBytes === 4);
  expect(a.clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(5000);
});

test("what a held path does not deliver arrives in order when it is released", async () => {
  const { client, server, network, driver } = await connectedWorld();
  network.path("a", "b").hold();
  for (const text of ["one ", "two ", "three"]) client.sendPieces([Buffer.from(text)]);
  server.sendPieces([Buffer.from("back")]);
  await driver.quiet();
  expect([server.receivedBytes, client.content.toString()]).toEqual([0, "back"]);
  network.path("a", "b").release();
  await driver.quiet();
  expect([server.content.toString(), server.countOf("closed")]).toEqual(["one two three", 0]);
});

test("nobody gets through a held path in time, in either direction", async () => {
  for (const [from, to] of [
    ["a", "b"],
    ["b", "a"],
  ] as const) {
    const { a, driver, network } = await world();
    network.path(from, to).hold();
    const beganMs = a.clock.monotonicMs();
    await expect(driven(driver, a.sockets.connect(address, 1000))).rejects.toMatchObject({ code: "ETIMEDOUT" });
    expect(a.clock.monotonicMs() - beganMs).toBe(1000);
  }
});

test("a connection that came too late is closed at the other end too", async () => {
  const { a, driver, network, accepted } = await world();
  network.path("b", "a").hold();
  await expect(driven(driver, a.sockets.connect(address, 1000))).rejects.toThrow("ETIMEDOUT");
  network.path("b", "a").release();
  await driver.quiet();
  expect(accepted.map((peer) => peer.countOf("closed"))).toEqual([1]);
  expect(network.standingCount).toBe(0);
});

test("a cut closes both ends with an error", async () => {
  const { client, server, network, driver } = await connectedWorld();
  network.cut("a", "b");
  await driver.quiet();
  for (const peer of [client, server]) {
    expect([peer.events, peer.closedWith]).toMatchObject([["closed"], { code: "ECONNRESET" }]);
  }
});

test("a cut leaves the connections of others", async () => {
  const { client, simulation, network, driver, accepted } = await connectedWorld();
  const other = simulation.host("c");
  const peer = new RecordingPeer(await driven(driver, other.sockets.connect(address, 1000))).start();
  network.cut("a", "b");
  peer.sendPieces([Buffer.from("alive")]);
  await driver.quiet();
  expect(client.countOf("closed")).toBe(1);
  expect(accepted[1]?.content.toString()).toBe("alive");
});

test("on a half-open connection bytes vanish, nobody is told, and in the end no more are taken", async () => {
  const { client, server, network, driver } = await connectedWorld();
  client.sendPieces([Buffer.from("before")]);
  await driver.quiet();
  network.halfOpen("a", "b");
  let sentCount = 0;
  while (client.connection.unsentBytes === 0) {
    client.sendOnce(Buffer.alloc(10_000));
    sentCount++;
    await driver.quiet();
    expect(sentCount).toBeLessThan(100);
  }
  server.sendPieces([Buffer.from("the other way is open")]);
  await driver.quiet();
  expect([server.content.toString(), client.content.toString()]).toEqual(["before", "the other way is open"]);
  for (const peer of [client, server]) expect(peer.countOf("ended") + peer.countOf("closed")).toBe(0);
  expect(client.connection.unsentBytes).toBeGreaterThan(0);
});

test("an end and a hang-up vanish on a half-open connection too", async () => {
  for (const act of ["end", "destroy"] as const) {
    const { client, server, network, driver } = await connectedWorld();
    network.halfOpen("a", "b");
    client[act]();
    await driver.quiet();
    expect(server.events).toEqual([]);
  }
});

test("when processes are killed their peers are told, and the addresses are free", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const { client, server, b, driver, listen, connect, network } = await connectedWorld(seed);
    b.kill();
    await driver.quiet();
    expect([client.countOf("closed"), server.events]).toEqual([1, []]);
    await expect(connect()).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await driven(driver, listen());
    (await connect()).destroy();
    await driver.quiet();
    expect(network.standingCount).toBe(0);
  }
});

test("when a host loses power its peers hear nothing", async () => {
  const { client, server, b, driver } = await connectedWorld();
  client.sendPieces([Buffer.from("under way")]);
  b.cutPower();
  await driver.quiet();
  expect([client.events, server.events]).toEqual([[], []]);
});

test("a connection that was asked for by a dead process is given to nobody", async () => {
  const { a, driver, accepted, network } = await world();
  let isAnswered = false;
  const answered = (): void => {
    isAnswered = true;
  };
  a.sockets.connect(address, 1000).then(answered, answered);
  a.kill();
  await driver.quiet();
  expect([isAnswered, accepted.length, network.standingCount]).toEqual([false, 0, 0]);
});

test("a thousand connections leave nothing behind", async () => {
  const { connect, driver, network } = await world();
  for (let count = 0; count < 250; count++) {
    const peers = [await connect(), await connect(), await connect(), await connect()];
    for (const [index, peer] of peers.entries()) {
      peer.sendPieces([Buffer.alloc(100)]);
      if (index % 2 === 0) peer.end();
      else peer.destroy();
    }
  }
  await driver.quiet();
  expect(network.standingCount).toBe(0);
});

test("securing a connection changes nothing but who hears of it", async () => {
  const { a, b, driver } = await world();
  const accepted: Connection[] = [];
  const at = { kind: "tcp", host: "b", port: 1 } as const;
  await driven(
    driver,
    b.sockets.listen(at, (connection) => accepted.push(connection)),
  );
  const raw = await driven(driver, a.sockets.connect(at, 1000));
  await driver.until(() => accepted.length === 1);
  const plain = new RecordingPeer(raw).start();
  const options = { credentials: {}, timeoutMs: 1000 };
  const client = new RecordingPeer(await driven(driver, a.sockets.secure(raw, { ...options, role: "client" }))).start();
  const connection = await driven(driver, b.sockets.secure(accepted[0] as Connection, { ...options, role: "server" }));
  const server = new RecordingPeer(connection).start();
  client.sendPieces([Buffer.from("there")]);
  server.sendPieces([Buffer.from("back")]);
  await driver.quiet();
  expect([client.content.toString(), server.content.toString(), plain.events]).toEqual(["back", "there", []]);
});
