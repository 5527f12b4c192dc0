import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { httpCloseMs } from "#src/core/http-limits.ts";
import { boundedServer, listenOn } from "#src/host/node/bounded-server.ts";

interface Place {
  readonly host: string;
  readonly port: number;
}

function ask({ host, port }: Place, agent: http.Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host, port, agent }, (response) => response.resume().once("end", resolve));
    request.once("error", reject);
  });
}

test("who asks again and again on one connection does not keep it open: it ends with an answer", async () => {
  const held = Promise.withResolvers<http.ServerResponse>();
  let count = 0;
  const answer = (_: http.IncomingMessage, response: http.ServerResponse) => {
    if (count++ === 0) held.resolve(response);
    else response.end();
  };
  const listener = await listenOn(boundedServer(answer, undefined), "127.0.0.1", 0);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const asking = (async () => {
    for (;;) await ask(listener, agent);
  })().catch((error: NodeJS.ErrnoException) => error.code);
  const first = await held.promise;
  const closed = listener.close();
  first.end();
  expect(await asking).toBe("ECONNREFUSED");
  expect(count).toBe(2);
  await closed;
  agent.destroy();
});

test("who is connected and speaks no TLS yet does not keep a server open that is closed", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const server = https.createServer({ handshakeTimeout: 600_000 });
  const listener = await listenOn(server, "127.0.0.1", 0);
  const accepted = once(server, "connection");
  const silent = net.connect(listener.port, listener.host);
  await accepted;
  const hungUp = once(silent, "close");
  const closed = listener.close();
  vi.advanceTimersByTime(httpCloseMs);
  await Promise.all([closed, hungUp]);
});
