import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { needPrograms, temporaryFolder } from "#test/clients/harness.ts";
import { selfSigned } from "./far-machine.ts";
import { FrameProxy, type Mischief } from "./frame-proxy.ts";

needPrograms("openssl");

const headBytes = 32;
const frameCount = 40;

function frame(number: number, bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(headBytes + bodyBytes, number);
  bytes.writeUInt32LE(bodyBytes, 8);
  bytes.writeUInt32LE(number, 12);
  return bytes;
}

const frames = Array.from({ length: frameCount }, (_, number) => frame(number, 100 + number));

/** What arrives of these frames, sent in pieces that know nothing of frames. */
async function passed(mischief?: Mischief): Promise<Buffer> {
  const folder = await temporaryFolder();
  const [near, far] = [folder.file("near"), folder.file("far")];
  const heard: Buffer[] = [];
  const arrived = Promise.withResolvers<void>();
  const server = net.createServer((socket) => {
    socket.on("data", (bytes: Buffer) => heard.push(bytes));
    socket.on("close", () => arrived.resolve());
  });
  server.listen({ path: far });
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const proxy = await FrameProxy.between({ path: near }, { path: far });
  if (mischief !== undefined) proxy.order(mischief, "up", 5);
  const socket = net.connect({ path: near });
  const all = Buffer.concat(frames);
  for (let at = 0; at < all.length; at += 777) socket.write(all.subarray(at, at + 777));
  socket.end();
  await arrived.promise;
  expect(proxy.done).toBe(mischief === undefined ? 0 : 1);
  return Buffer.concat(heard);
}

const [before, sixth, seventh, after] = [frames.slice(0, 5), frames[5], frames[6], frames.slice(7)] as [
  Buffer[],
  Buffer,
  Buffer,
  Buffer[],
];

test.each([
  [undefined, frames],
  ["double", [...before, sixth, sixth, seventh, ...after]],
  ["drop", [...before, seventh, ...after]],
  ["swap", [...before, seventh, sixth, ...after]],
  ["replay", [...before, sixth, ...frames.slice(6, 26), sixth, ...frames.slice(26)]],
] as const)("frames arrive as it is ordered: %s", async (mischief, expected) => {
  expect((await passed(mischief)).equals(Buffer.concat(expected))).toBe(true);
});

test("frames that go by with TLS are altered all the same, and nobody else is let in", async () => {
  const folder = await temporaryFolder();
  const [near, far] = [folder.file("near"), folder.file("far")];
  const secret = await selfSigned(folder);
  const server = tls.createServer(secret);
  server.listen({ path: far });
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const proxy = await FrameProxy.between({ path: near }, { path: far }, secret);
  proxy.order("drop", "up", 0);
  const arrived = once(server, "secureConnection") as Promise<[tls.TLSSocket]>;
  const socket = tls.connect({ path: near, ca: secret.cert, host: "127.0.0.1" });
  socket.write(Buffer.concat([sixth, seventh]));
  const [accepted] = await arrived;
  const [heard] = (await once(accepted, "data")) as [Buffer];
  expect(heard.equals(seventh)).toBe(true);
  socket.destroy();
  const stranger = tls.connect({ path: near, host: "127.0.0.1" });
  expect(await once(stranger, "error")).toMatchObject([{ code: "DEPTH_ZERO_SELF_SIGNED_CERT" }]);
});

test.each([
  ["head", 0],
  ["body", headBytes],
] as const)("a bit is turned in the %s of one frame, and nowhere else", async (mischief, from) => {
  const found = await passed(mischief);
  const start = Buffer.concat(before).length;
  const turned = [...Buffer.concat(frames)].flatMap((byte, at) => (found[at] === byte ? [] : [at - start]));
  expect(turned).toHaveLength(1);
  expect(turned[0]).toBeGreaterThanOrEqual(from);
  expect(turned[0]).toBeLessThan(from === 0 ? headBytes : sixth.length);
});
