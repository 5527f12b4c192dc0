/** Fault 33, and what else a stranger at the remote's door may try. */
import { describe, expect, test } from "vitest";
import {
  MiB,
  wireBulkBytesMax,
  wireHandshakeBytesMax,
  wireHandshakeMs,
  wireNonceBytes,
  wireSilenceMs,
} from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { compressed } from "#src/host/compression.ts";
import { encodeBulkHeader, encodeFrame, type FrameType, frameType } from "#src/wire/frame.ts";
import { ConnectingHandshake } from "#src/wire/handshake.ts";
import { driven } from "#test/contract/driver.ts";
import { RecordingPeer } from "#test/contract/recording-peer.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { type GroupWorld, groupWorld, pass, remoteAddress, someHello, token } from "./group-world.ts";

const headerBytes = 32;

/** A peer that says what it wants. */
class Stranger {
  readonly world: GroupWorld;
  readonly peer: RecordingPeer;
  #number = 0;

  constructor(world: GroupWorld, peer: RecordingPeer) {
    this.world = world;
    this.peer = peer;
  }

  say(type: FrameType, body: Buffer): void {
    this.peer.sendPieces([encodeFrame(type, this.#number++, body)]);
  }

  /** A frame of which only the head comes, with a true checksum. */
  announce(type: FrameType, bodyBytes: number): void {
    const head = encodeFrame(type, this.#number++, Buffer.alloc(0)).subarray(0, headerBytes);
    head.writeUInt32LE(bodyBytes, 8);
    putChecksum(head, 0, 24, head, 24);
    this.peer.sendPieces([head]);
  }

  bulk(type: FrameType, body: Buffer): void {
    const head = encodeBulkHeader(type, this.#number++, [body]);
    this.peer.sendPieces([head, body]);
  }

  /** What the server said last, as text. */
  get lastWords(): string {
    return this.peer.content.subarray(-300).toString();
  }

  async challenge(): Promise<Buffer> {
    const { peer } = this;
    await this.world.driver.until(
      () => peer.receivedBytes >= headerBytes && peer.receivedBytes >= headerBytes + peer.content.readUInt32LE(8),
    );
    return this.peer.content.subarray(headerBytes);
  }

  async introduce(hello: object = someHello, secret = token): Promise<void> {
    const identity = { token: secret, link: "group", nonce: Buffer.alloc(wireNonceBytes, 7) } as const;
    const handshake = new ConnectingHandshake(identity, () => hello);
    this.say(frameType.hello, handshake.challenged(await this.challenge()));
  }

  async joined(): Promise<this> {
    await this.introduce();
    await this.world.driver.until(() => this.peer.content.includes("boot-of-remote"));
    return this;
  }

  async isTurnedAway(): Promise<void> {
    const { server, driver } = this.world;
    await driver.until(() => this.peer.countOf("closed") === 1 && server.connectionCount === 0);
  }
}

async function stranger(world: GroupWorld, name = "stranger"): Promise<Stranger> {
  const { sockets } = world.simulation.host(name);
  const connection = await driven(world.driver, sockets.connect(remoteAddress, 1000));
  return new Stranger(world, new RecordingPeer(connection).start());
}

/** The body of a frame of compressed batches. */
function claim(byteLength: number, content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(byteLength);
  return Buffer.concat([length, compressed(content)]);
}

async function atTheDoor(): Promise<Stranger> {
  return stranger(await groupWorld());
}

describe("fault 33: a peer before the proof", () => {
  test("who is no Tidemark at all is told so and turned away", async () => {
    const it = await atTheDoor();
    it.peer.sendPieces([Buffer.from("GET / HTTP/1.1\r\nHost: remote\r\nAccept: */*\r\n\r\n")]);
    await it.isTurnedAway();
    expect(it.lastWords).toContain("does not speak Tidemark");
    expect(it.world.trace.lines.join("\n")).toContain("a peer was turned away");
  });

  test("who does not know the token is turned away, and the log says so", async () => {
    const it = await atTheDoor();
    await it.introduce(someHello, "a guess");
    await it.isTurnedAway();
    expect(it.lastWords).toContain("the token is not the right one");
    expect(it.world.sessions.opened).toEqual([]);
    expect(it.world.trace.lines.join("\n")).toMatch(/a peer was turned away.*the token is not the right one/);
  });

  test.each([wireHandshakeBytesMax + 1, 0xffff_ffff])("a length bomb of %i bytes is turned away", async (bodyBytes) => {
    const it = await atTheDoor();
    it.announce(frameType.hello, bodyBytes);
    await it.isTurnedAway();
    expect(it.lastWords).toContain("are the limit");
  });

  test.each(Object.entries(frameType).filter(([name]) => name !== "hello" && name !== "farewell"))(
    "a frame of type %s is turned away",
    async (_name, type) => {
      const it = await atTheDoor();
      it.bulk(type, Buffer.alloc(64));
      await it.isTurnedAway();
      expect(it.world.sessions.opened).toEqual([]);
    },
  );

  test("a hello with something behind it, before the welcome, is turned away", async () => {
    const it = await atTheDoor();
    it.world.sessions.opening = new Promise(() => {});
    await it.introduce();
    it.bulk(frameType.batches, Buffer.alloc(512));
    await it.isTurnedAway();
    expect(it.lastWords).toContain("did not wait for its welcome");
  });

  test.each([
    ["no group", { ...someHello, group: undefined }],
    ["a group that is not hexadecimal", { ...someHello, group: "../../etc" }],
    ["a long name", { ...someHello, groupName: "x".repeat(300) }],
    ["a seq below 0", { ...someHello, lastSeq: -1 }],
    ["half an epoch", { ...someHello, epoch: 0.5 }],
    ["a life that is a text", { ...someHello, life: "3" }],
    ["a boot id that is an object", { ...someHello, bootId: {} }],
  ])("a hello with %s is refused in words", async (_what, hello) => {
    const it = await atTheDoor();
    await it.introduce(hello);
    await it.isTurnedAway();
    expect(it.lastWords).toContain("the hello's");
    expect(it.world.sessions.opened).toEqual([]);
  });

  test("a hello that says more than is known is welcome", async () => {
    const it = await atTheDoor();
    await it.introduce({ ...someHello, colour: "blue", __proto__: { group: "no" } });
    await it.world.driver.until(() => it.world.sessions.opened.length === 1);
    expect(it.world.sessions.last.hello).toEqual(someHello);
  });

  test("who hangs up after any byte of the handshake leaves nothing behind", async () => {
    const whole = await atTheDoor();
    await whole.introduce();
    await whole.world.driver.until(() => whole.world.sessions.opened.length === 1);
    const helloBytes = 32 + headerBytes + 400;
    const world = await groupWorld();
    for (let endByte = 0; endByte < helloBytes; endByte += 1) {
      const it = await stranger(world, `stranger-${endByte}`);
      const identity = { token, link: "group", nonce: Buffer.alloc(wireNonceBytes, 7) } as const;
      const body = new ConnectingHandshake(identity, () => someHello).challenged(await it.challenge());
      const frame = encodeFrame(frameType.hello, 0, body);
      it.peer.sendPieces([frame.subarray(0, Math.min(endByte, frame.length - 1))]);
      if (endByte % 2 === 0) it.peer.destroy();
      else it.peer.endAfterSending();
    }
    await world.driver.until(() => world.server.connectionCount === 0);
    expect(world.sessions.opened).toEqual([]);
    await pass(world, 20_000);
    expect(world.clock.pendingCount).toBe(0);
  });

  test("who says nothing, or too little, is turned away in time", async () => {
    const world = await groupWorld();
    const silent = await stranger(world, "silent");
    const slow = await stranger(world, "slow");
    slow.peer.sendPieces([Buffer.from("TMF")]);
    const beganMs = world.clock.nowMs;
    await world.driver.until(() => silent.peer.countOf("closed") + slow.peer.countOf("closed") === 2);
    expect(world.clock.nowMs - beganMs).toBeLessThan(wireHandshakeMs + 2000);
  });

  test("strangers are few at a time, and make room again", async () => {
    const world = await groupWorld({ strangerCountMax: 3 });
    const early = await Promise.all([1, 2, 3].map((index) => stranger(world, `early-${index}`)));
    const late = await stranger(world, "late");
    await world.driver.until(() => late.peer.countOf("closed") === 1);
    expect(late.peer.receivedBytes).toBe(0);
    const said = (): number => world.trace.lines.filter((line) => line.includes("too many have not said who")).length;
    expect(said()).toBe(1);
    const later = await Promise.all([4, 5, 6, 7, 8].map((index) => stranger(world, `later-${index}`)));
    await world.driver.until(() => later.every(({ peer }) => peer.countOf("closed") === 1));
    expect(said()).toBe(1);
    early[0]?.peer.destroy();
    await world.driver.until(() => world.server.connectionCount === 2);
    const next = await stranger(world, "next");
    await next.joined();
  });

  test("those who proved themselves are bounded too, and who finds no room hears why and may come again", async () => {
    const world = await groupWorld({ connectionCountMax: 2 });
    const [first] = [await (await stranger(world, "first")).joined(), await (await stranger(world, "second")).joined()];
    world.client.start();
    await world.driver.until(() => world.owner.refusals.length === 1);
    expect(world.owner.refusals[0]?.message).toContain("there is no room for another group here: 2 are connected");
    expect([world.client.isUp, world.sessions.opened.length]).toEqual([false, 2]);
    first?.peer.destroy();
    await world.driver.until(() => world.client.isUp);
  });

  test("strangers take no room from those who proved themselves, nor does what is left of them", async () => {
    const world = await groupWorld({ connectionCountMax: 2, strangerCountMax: 3 });
    const silent = await Promise.all([1, 2].map((index) => stranger(world, `silent-${index}`)));
    const liar = await stranger(world, "liar");
    await liar.introduce(someHello, "another token than theirs");
    await world.driver.until(() => liar.lastWords.includes("the token is not the right one"));
    silent[0]?.peer.destroy();
    await world.driver.until(() => world.server.connectionCount === 2);
    for (const name of ["first", "second"]) await (await stranger(world, name)).joined();
    expect(world.sessions.opened.length).toBe(2);
  });

  test("garbage of any kind ends in a farewell or a closed connection, and others are not harmed", async () => {
    const world = await groupWorld();
    world.client.start();
    await world.driver.until(() => world.client.isUp);
    const random = new SeededRandom(9);
    for (let count = 0; count < 300; count++) {
      const it = await stranger(world, `garbage-${count}`);
      const hello = encodeFrame(frameType.hello, 0, random.bytes(random.between(0, 300)));
      const bytes = random.chance(0.5) ? random.bytes(random.between(1, 4000)) : hello;
      if (random.chance(0.3)) bytes[random.integerBelow(bytes.length)] = 0xff;
      it.peer.sendPieces([bytes]);
      it.peer.endAfterSending();
      await world.driver.until(() => it.peer.countOf("closed") === 1);
    }
    expect([world.sessions.opened.length, world.server.connectionCount, world.owner.downs.length]).toEqual([1, 1, 0]);
  });
});

describe("fault 33: a peer after the proof", () => {
  async function joined(): Promise<Stranger> {
    return (await atTheDoor()).joined();
  }

  test("more than there is credit for ends the connection", async () => {
    const world = await groupWorld();
    world.sessions.creditBytes = 1024;
    const it = await (await stranger(world)).joined();
    it.bulk(frameType.batches, Buffer.alloc(1024));
    it.bulk(frameType.batches, Buffer.alloc(1));
    await it.isTurnedAway();
    expect(it.lastWords).toContain("more was sent than there was credit for");
    expect([world.sessions.last.bytes.length, world.sessions.last.closedCount]).toEqual([1024, 1]);
  });

  test.each([wireBulkBytesMax + 1, 0xffff_ffff])("a length bomb of %i bytes ends the connection", async (bodyBytes) => {
    const it = await joined();
    it.announce(frameType.batches, bodyBytes);
    await it.isTurnedAway();
    expect(it.lastWords).toContain("are the limit");
    expect(it.world.sessions.last.closedCount).toBe(1);
  });

  test.each([
    ["claim to be more than a frame may hold", claim(wireBulkBytesMax + 1, Buffer.alloc(512))],
    ["claim to be nothing", claim(0, Buffer.alloc(512))],
    ["come to more than they claim", claim(512, Buffer.alloc(64 * MiB))],
    ["come to less than they claim", claim(1024, Buffer.alloc(512))],
    ["are none", Buffer.concat([claim(512, Buffer.alloc(512)).subarray(0, 4), Buffer.alloc(40, 7)])],
    ["are nothing at all", Buffer.alloc(3)],
  ])("compressed batches that %s end the connection, and none are taken", async (_what, body) => {
    const it = await joined();
    it.bulk(frameType.compressedBatches, body);
    await it.isTurnedAway();
    expect(it.lastWords).toContain("compressed batches");
    expect(it.world.sessions.last.batchBodies).toEqual([]);
  });

  test("compressed batches count against the credit with what they come to", async () => {
    const world = await groupWorld();
    world.sessions.creditBytes = 100_000;
    const it = await (await stranger(world)).joined();
    it.bulk(frameType.compressedBatches, claim(100_000, Buffer.alloc(100_000)));
    it.bulk(frameType.compressedBatches, claim(1, Buffer.alloc(1)));
    await it.isTurnedAway();
    expect(it.lastWords).toContain("more was sent than there was credit for");
    expect(world.sessions.last.bytes.length).toBe(100_000);
  });

  test.each([
    [frameType.askDurable, Buffer.alloc(7)],
    [frameType.askDurable, Buffer.alloc(8, 0xff)],
    [frameType.fetch, Buffer.alloc(0)],
    [frameType.watermarks, Buffer.alloc(24)],
    [frameType.hello, Buffer.from("{}")],
    [frameType.farewell, Buffer.from("bye")],
    [frameType.records, Buffer.alloc(64)],
  ])("a frame of type %i that makes no sense ends the connection", async (type, body) => {
    const it = await joined();
    it.bulk(type, body);
    await it.isTurnedAway();
    const { asked, fetches, closedCount } = it.world.sessions.last;
    expect([asked, fetches, closedCount]).toEqual([[], [], 1]);
  });

  test("who says farewell and stays is hung up on", async () => {
    const it = await joined();
    it.say(frameType.farewell, Buffer.from('{"kind":"reconnect","why":"so long"}'));
    await it.isTurnedAway();
    expect(it.world.trace.lines.join("\n")).toContain("so long");
  });

  test("who goes silent is hung up on", async () => {
    const it = await joined();
    const beganMs = it.world.clock.nowMs;
    await it.isTurnedAway();
    expect(it.world.clock.nowMs - beganMs).toBeGreaterThanOrEqual(wireSilenceMs);
    expect(it.world.sessions.last.closedCount).toBe(1);
  });

  test("words that could move a terminal's cursor do not reach the log", async () => {
    const it = await joined();
    it.say(frameType.farewell, Buffer.from(JSON.stringify({ kind: "reconnect", why: "\u001b[2Jall is well" })));
    await it.isTurnedAway();
    const log = it.world.trace.lines.join("\n");
    expect(log).toContain("?[2Jall is well");
  });
});
