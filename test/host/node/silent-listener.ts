/**
 * A TCP port where somebody listens and nobody ever answers: its thread is blocked and its queue is full, so the kernel
 * lets whoever comes next wait.
 */
import net from "node:net";
import { Worker } from "node:worker_threads";
import { onTestFinished } from "vitest";
import type { SocketAddress } from "#src/host/socket.ts";

const queueLength = 1;
const script = `
  const { parentPort, workerData } = require("node:worker_threads");
  const server = require("node:net").createServer();
  server.listen({ host: "127.0.0.1", port: 0, backlog: ${queueLength} }, () => {
    parentPort.postMessage(server.address().port);
    // The next turn of this thread's event loop never comes.
    setImmediate(() => Atomics.wait(new Int32Array(workerData), 0, 0));
  });`;

export async function silentListener(): Promise<SocketAddress> {
  const memory = new SharedArrayBuffer(4);
  const worker = new Worker(script, { eval: true, workerData: memory });
  const port = await new Promise<number>((resolve) => {
    worker.once("message", resolve);
  });
  const waiting = Array.from({ length: queueLength + 1 }, () => net.connect(port, "127.0.0.1"));
  for (const socket of waiting) socket.on("error", () => {});
  await Promise.all(waiting.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
  onTestFinished(async () => {
    for (const socket of waiting) socket.destroy();
    Atomics.store(new Int32Array(memory), 0, 1);
    Atomics.notify(new Int32Array(memory), 0);
    await worker.terminate();
  });
  return { kind: "tcp", host: "127.0.0.1", port };
}
