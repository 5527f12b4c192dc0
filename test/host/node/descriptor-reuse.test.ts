/** A descriptor's number belongs to somebody else as soon as it is closed. */
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { nodeSockets } from "#src/host/node/sockets.ts";
import type { Connection } from "#src/host/socket.ts";
import { temporaryFolder } from "./temporary-folder.ts";

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Descriptors of this process that are sockets. */
function openSockets(): Set<number> {
  const isSocket = (fd: string): boolean => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
    } catch {
      // The one that the listing itself was read with.
      return false;
    }
  };
  return new Set(fs.readdirSync("/proc/self/fd").filter(isSocket).map(Number));
}

test("what is sent after the peer's reset ends up in no other file", async () => {
  const folder = temporaryFolder();
  const accepted = Promise.withResolvers<Connection>();
  const listener = await nodeSockets.listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, accepted.resolve);
  onTestFinished(() => listener.close());
  if (listener.address.kind !== "tcp") throw new Error("not a TCP port");
  const peer = net.connect(listener.address.port, listener.address.host);
  const [connection] = await Promise.all([accepted.promise, once(peer, "connect")]);
  const landing = Buffer.alloc(64);
  let isClosed = false;
  connection.start({
    target: () => landing,
    received: () => false,
    drained: () => {},
    ended: () => {},
    closed: () => {
      isClosed = true;
    },
  });
  peer.resetAndDestroy();
  const inUse = openSockets();
  const others: number[] = [];
  onTestFinished(() => {
    for (const fd of others) fs.closeSync(fd);
  });
  let isReused = false;
  while (!isClosed) {
    const fd = fs.openSync(`${folder}/${others.length}`, "wx");
    others.push(fd);
    // The number has just become free: now is when a late reply must not go there.
    if (inUse.has(fd)) {
      isReused = true;
      connection.send(Buffer.from("a late reply"), 0, 12);
    }
    await turn();
  }
  expect(isReused).toBe(true);
  expect(others.map((fd) => fs.fstatSync(fd).size).filter((size) => size > 0)).toEqual([]);
});
