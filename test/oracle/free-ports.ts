/** Ports for programs that have to be told theirs, since others are told of them too. */
import { createServer } from "node:net";

/** Below those that the system gives to whoever asks for any, and others for each process: nobody takes one before its program does. */
const firstPort = 20_000;
const portsPerProcess = 16;
const processCount = 700;
let nextPort = firstPort + (process.pid % processCount) * portsPerProcess;

/** Each is another one. */
export async function freePort(): Promise<number> {
  while (!(await isFree(nextPort))) nextPort++;
  return nextPort++;
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
