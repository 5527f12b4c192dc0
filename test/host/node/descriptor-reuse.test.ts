/** A descriptor's number belongs to somebody else as soon as it is closed. */
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

test("what is sent after the peer's reset ends up in no other file", async () => {
  const folder = temporaryFolder();
  const accepted = Promise.withResolvers<Connection>();
  const listener = await nodeSockets.listen({ kind: "tcp", host: "127.0.0.1", port: 0 }, accepted.resolve);
  onTestFinished(() => listener.close());
  if (listener.address.kind !== "tcp") throw new Error("not a TCP port");
  const peer = net.connect(listener.address.port, listener.address.host);
  const connection = await accepted.promise;
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
  const others: number[] = [];
  onTestFinished(() => {
    for (const fd of others) fs.closeSync(fd);
  });
  while (!isClosed) {
    // Whatever number has just become free is taken by a file, and then a late reply is sent.
    others.push(fs.openSync(`${folder}/${others.length}`, "wx"));
    if (connection.unsentBytes === 0) connection.send(Buffer.from("a late reply"), 0, 12);
    await turn();
  }
  expect(others.map((fd) => fs.fstatSync(fd).size).filter((size) => size > 0)).toEqual([]);
});
