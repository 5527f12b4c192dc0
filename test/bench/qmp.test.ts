import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { QmpClient } from "./qmp.ts";

type Reply = (command: { readonly execute: string; readonly arguments: object }, socket: Socket) => void;

const tell = (socket: Socket, message: object) => socket.write(`${JSON.stringify(message)}\n`);

/** A monitor that greets, and answers by `reply`. */
async function connectTo(reply: Reply): Promise<QmpClient> {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-qmp-"));
  const path = join(folder, "monitor");
  const server = createServer((socket) => {
    tell(socket, { QMP: { version: {}, capabilities: [] } });
    createInterface({ input: socket }).on("line", (line) => {
      const command = JSON.parse(line);
      if (command.execute === "qmp_capabilities") tell(socket, { return: {} });
      else reply(command, socket);
    });
  });
  server.listen(path);
  await once(server, "listening");
  const client = await QmpClient.connect(path);
  onTestFinished(() => {
    client[Symbol.dispose]();
    server.close();
    rmSync(folder, { recursive: true });
  });
  return client;
}

test("a command's answer is what it returns, whatever events come before", async () => {
  const client = await connectTo((command, socket) => {
    tell(socket, { event: "JOB_STATUS_CHANGE", data: {} });
    tell(socket, { return: command });
  });
  expect(await client.execute("query-block-jobs", { a: 1 })).toEqual({
    execute: "query-block-jobs",
    arguments: { a: 1 },
  });
});

test("a command that is refused says why", async () => {
  const client = await connectTo((_, socket) =>
    tell(socket, { error: { class: "GenericError", desc: "no such node" } }),
  );
  await expect(client.execute("blockdev-mirror")).rejects.toThrow("blockdev-mirror: no such node");
});

test("a monitor that ends leaves nobody waiting", async () => {
  const client = await connectTo((_, socket) => socket.destroy());
  await expect(client.execute("quit")).rejects.toThrow("has ended");
  await expect(client.execute("quit")).rejects.toThrow("has ended");
});
