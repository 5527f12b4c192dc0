import { once } from "node:events";
import net from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "#test/clients/harness.ts";
import { noise } from "#test/clients/image.ts";
import { whenSeen } from "#test/patience.ts";
import { LinkProxy } from "./link-proxy.ts";

/** Sends back what it hears, and counts its connections. */
async function echo(path: string): Promise<net.Server> {
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  server.listen({ path });
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return server;
}

interface Heard {
  readonly socket: net.Socket;
  /** Resolves with the first bytes heard, this many of them. */
  bytes(count: number): Promise<Buffer>;
}

async function dial(path: string): Promise<Heard> {
  const socket = net.connect({ path });
  onTestFinished(() => void socket.destroy());
  let heard = Buffer.alloc(0);
  let wake = (): void => {};
  socket.on("data", (bytes: Buffer) => {
    heard = Buffer.concat([heard, bytes]);
    wake();
  });
  socket.on("error", () => {});
  await once(socket, "connect");
  const bytes = async (count: number): Promise<Buffer> => {
    while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve));
    return heard;
  };
  return { socket, bytes };
}

async function proxied(): Promise<{ readonly proxy: LinkProxy; readonly path: string }> {
  const folder = await temporaryFolder();
  await echo(folder.file("far"));
  const path = folder.file("near");
  return { proxy: await LinkProxy.between({ path }, { path: folder.file("far") }), path };
}

test("what is said arrives unchanged, both ways", async () => {
  const { proxy, path } = await proxied();
  const { socket, bytes } = await dial(path);
  const said = noise(1_000_000, 1);
  socket.write(said);
  expect((await bytes(said.length)).equals(said)).toBe(true);
  expect(proxy.passedBytes("up")).toBe(said.length);
});

test("also when it is slowed down and late", async () => {
  const { proxy, path } = await proxied();
  proxy.throttle(5_000_000);
  proxy.delay(5);
  const { socket, bytes } = await dial(path);
  const said = noise(500_000, 2);
  socket.write(said);
  expect((await bytes(said.length)).equals(said)).toBe(true);
});

test("a cut ends both ends, and a new connection stands", async () => {
  const { proxy, path } = await proxied();
  const first = await dial(path);
  first.socket.write("a");
  await first.bytes(1);
  proxy.cut();
  await once(first.socket, "close");
  const second = await dial(path);
  second.socket.write("b");
  expect((await second.bytes(1)).toString()).toBe("b");
});

test("while it refuses nobody gets through", async () => {
  const { proxy, path } = await proxied();
  proxy.refuse();
  const refused = await dial(path);
  await once(refused.socket, "close");
  proxy.accept();
  const taken = await dial(path);
  taken.socket.write("c");
  expect((await taken.bytes(1)).toString()).toBe("c");
});

test("silent, it keeps both ends and passes nothing on", async () => {
  const { proxy, path } = await proxied();
  const { socket, bytes } = await dial(path);
  socket.write("a");
  await bytes(1);
  proxy.goSilent();
  socket.write("b");
  await whenSeen(() => expect(proxy.swallowedBytes).toBe(1));
  expect(proxy.passedBytes("up")).toBe(1);
  proxy.speak();
  await once(socket, "close");
});

test("a single bit is changed, where it was said", async () => {
  const { proxy, path } = await proxied();
  proxy.corrupt("up", 70_000);
  const { socket, bytes } = await dial(path);
  const said = noise(200_000, 3);
  socket.write(said);
  const heard = await bytes(said.length);
  const changed = [...said.keys()].filter((at) => said[at] !== heard[at]);
  expect(changed).toEqual([70_000]);
});
