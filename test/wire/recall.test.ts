/** The remote asks for what it has lost, over a link. */
import { expect, test } from "vitest";
import { RefuseError } from "#src/core/errors.ts";
import { blockBytes, wireNonceBytes } from "#src/core/limits.ts";
import { encodeFrame, type FrameType, frameType } from "#src/wire/frame.ts";
import type { FrameChannel } from "#src/wire/frame-channel.ts";
import { GroupConversation } from "#src/wire/group-conversation.ts";
import type { RecalledBlocks } from "#src/wire/group-link.ts";
import { encodeWelcome } from "#src/wire/group-messages.ts";
import { ConnectingHandshake } from "#src/wire/handshake.ts";
import { LinkShaper } from "#src/wire/link-shaper.ts";
import { LinkTraffic } from "#src/wire/link-traffic.ts";
import { encodeRecall, encodeRecalled } from "#src/wire/recall-messages.ts";
import { driven } from "#test/contract/driver.ts";
import { RecordingPeer } from "#test/contract/recording-peer.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { groupWorld, pass, remoteAddress, someHello, token, worldThatIsUp, zeroMarks } from "./group-world.ts";

const headerBytes = 32;
const wanted = [
  { seq: 7, volume: 1, block: 20 },
  { seq: 5, volume: 2, block: 0 },
];

test("what is asked for arrives, and what comes back does too, one question after the other", async () => {
  const world = await worldThatIsUp();
  const { session } = world.sessions.last;
  const asked: unknown[] = [];
  world.owner.onRecall = async (blocks) => {
    asked.push(blocks);
    return blocks.map(({ seq }) => (seq === 7 ? Buffer.alloc(blockBytes, seq) : undefined));
  };
  for (let round = 1; round <= 3; round++) {
    expect(await driven(world.driver, session.recall(wanted))).toEqual([Buffer.alloc(blockBytes, 7), undefined]);
    expect(asked).toEqual(Array.from({ length: round }, () => wanted));
  }
  expect(world.owner.downs).toEqual([]);
});

test("a question that is under way when the link is lost comes to nothing", async () => {
  const world = await worldThatIsUp();
  world.owner.onRecall = () => new Promise(() => {});
  const recalled = world.sessions.last.session.recall(wanted);
  await world.driver.until(() => world.owner.countOf("recall") === 1);
  world.network.cut("local", "remote");
  expect(await driven(world.driver, recalled)).toEqual([]);
  expect(await driven(world.driver, world.sessions.opened[0]?.session.recall(wanted) ?? expect.unreachable())).toEqual(
    [],
  );
});

test("an answer that was made for an earlier link is not sent over the next one", async () => {
  const world = await worldThatIsUp();
  const answer = Promise.withResolvers<RecalledBlocks>();
  world.owner.onRecall = () => answer.promise;
  const lost = world.sessions.last.session.recall(wanted);
  await world.driver.until(() => world.owner.countOf("recall") === 1);
  world.network.cut("local", "remote");
  await driven(world.driver, lost);
  await world.driver.until(() => world.client.isUp);
  answer.resolve([Buffer.alloc(blockBytes, 1), undefined]);
  await pass(world, 1_000);
  expect(world.owner.downs).toHaveLength(1);
  world.owner.onRecall = async () => [undefined, Buffer.alloc(blockBytes, 5)];
  expect(await driven(world.driver, world.sessions.last.session.recall(wanted))).toEqual([
    undefined,
    Buffer.alloc(blockBytes, 5),
  ]);
});

/** A local appliance that says what it wants, and what it was told. */
async function peerOf(world: Awaited<ReturnType<typeof groupWorld>>, hello: object) {
  const { sockets } = world.simulation.host("other");
  const peer = new RecordingPeer(await driven(world.driver, sockets.connect(remoteAddress, 1000))).start();
  const bodyAt = (from: number) => peer.content.subarray(from + headerBytes);
  await world.driver.until(() => peer.receivedBytes >= headerBytes && bodyAt(0).length >= peer.content.readUInt32LE(8));
  const identity = { token, link: "group", nonce: Buffer.alloc(wireNonceBytes, 7) } as const;
  const greeting = new ConnectingHandshake(identity, () => hello).challenged(bodyAt(0));
  peer.sendPieces([encodeFrame(frameType.hello, 0, greeting)]);
  await world.driver.until(() => world.sessions.opened.length === 1 && peer.content.includes("boot-of-remote"));
  const typesSince = (from: number) => {
    const types: number[] = [];
    for (
      let at = from;
      at + headerBytes <= peer.content.length;
      at += headerBytes + peer.content.readUInt32LE(at + 8)
    ) {
      types.push(peer.content[at + 5] as number);
    }
    return types;
  };
  return { peer, typesSince };
}

test("who does not say that he knows the question is not asked", async () => {
  const world = await groupWorld();
  const { peer, typesSince } = await peerOf(world, someHello);
  await pass(world, 100);
  expect(await driven(world.driver, world.sessions.last.session.recall(wanted))).toEqual([]);
  await pass(world, 100);
  expect(typesSince(0)).not.toContain(frameType.recall);
  expect(peer.countOf("closed")).toBe(0);
});

test.each([
  ["nobody has asked for", false, encodeRecalled([])],
  ["were not asked for", true, encodeRecalled([undefined, undefined, Buffer.alloc(blockBytes)])],
])("fault 33: blocks that %s end the connection", async (_, isAsked, body) => {
  const world = await groupWorld();
  const { peer, typesSince } = await peerOf(world, { ...someHello, recall: "blocks" });
  const recalled = isAsked ? world.sessions.last.session.recall(wanted) : undefined;
  if (isAsked) await world.driver.until(() => typesSince(0).includes(frameType.recall));
  peer.sendPieces([encodeFrame(frameType.recalled, 1, body)]);
  await world.driver.until(() => peer.countOf("closed") === 1);
  if (recalled !== undefined) expect(await driven(world.driver, recalled)).toEqual([]);
});

test("fault 33: a remote that asks for more before it was answered is left", async () => {
  const { clock } = new Simulation(1).host("local");
  const sent: number[] = [];
  const channel = { isBlocked: false, holdsBulk: false, send: (type: number) => sent.push(type) };
  const answer = Promise.withResolvers<RecalledBlocks>();
  const ignore = () => {};
  const owner = { welcomed: ignore, watermarks: ignore, mayShip: ignore, closed: ignore, recall: () => answer.promise };
  const shaper = new LinkShaper({ clock, mayCompress: false, gate: undefined, traffic: new LinkTraffic() });
  const conversation = new GroupConversation(channel as unknown as FrameChannel, owner, shaper);
  const heard = (type: FrameType, body: Buffer) => conversation.frame(type, body, 0, body.length);
  heard(frameType.welcome, encodeWelcome({ ...zeroMarks, epoch: 1, bootId: "a" }));
  heard(frameType.recall, encodeRecall(wanted));
  expect(() => heard(frameType.recall, encodeRecall(wanted))).toThrow(RefuseError);
  answer.resolve([undefined, undefined]);
  await answer.promise;
  await Promise.resolve();
  expect(sent).toEqual([frameType.recalled]);
  heard(frameType.recall, encodeRecall(wanted));
});
