import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { httpCloseMs, httpUnansweredMax } from "#src/core/http-limits.ts";
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
  // Already that answer said that it was the last.
  expect(count).toBe(1);
  await closed;
  agent.destroy();
});

/** No time passes until the test is over: whatever a server would wait for is waited for in vain. */
function withoutTime(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
}

test.each([
  ["nothing at all", ""],
  ["a part of a request", "GET / HTTP/1.1\r\nhost: local"],
  ["a part of a body", "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{"],
  ["a request that was answered", "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"],
])("who has sent %s does not hold up the end", async (_, text) => {
  withoutTime();
  const server = boundedServer((request, response) => {
    request.on("error", () => {});
    if (request.method === "GET") response.end("answered");
  }, undefined);
  const listener = await listenOn(server, "127.0.0.1", 0);
  const accepted = once(server, "connection");
  const client = net.connect(listener.port, listener.host);
  const [socket] = (await accepted) as [net.Socket];
  if (text !== "") {
    const heard = once(socket, "data");
    client.write(text);
    await heard;
  }
  if (text.startsWith("GET / HTTP/1.1\r\nhost: localhost")) await once(client, "data");
  const hungUp = once(client.resume(), "close");
  await Promise.all([listener.close(), hungUp]);
});

test("what was asked before the end is answered, and no more on its connection", async () => {
  withoutTime();
  const held = Promise.withResolvers<http.ServerResponse>();
  const listener = await listenOn(
    boundedServer((_, response) => held.resolve(response), undefined),
    "127.0.0.1",
    0,
  );
  const agent = new http.Agent({ keepAlive: true });
  const answered = once(http.get({ ...listener, agent }), "response");
  const response = await held.promise;
  const closed = listener.close();
  response.end("answered");
  const [answer] = (await answered) as [http.IncomingMessage];
  expect([answer.headers.connection, (await answer.toArray()).join("")]).toEqual(["close", "answered"]);
  await closed;
});

test("what was asked before the end on one connection is all answered, and what is asked behind it is not done", async () => {
  withoutTime();
  const held: http.ServerResponse[] = [];
  const asked = Promise.withResolvers<void>();
  const server = boundedServer((_, response) => {
    if (held.push(response) === 2) asked.resolve();
  }, undefined);
  const listener = await listenOn(server, "127.0.0.1", 0);
  const client = net.connect(listener.port, listener.host);
  const question = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
  client.write(question.repeat(2));
  await asked.promise;
  const heard = client.toArray();
  const closed = listener.close();
  const askedMore = once(server, "request");
  client.write(question);
  await askedMore;
  expect(held.length).toBe(2);
  for (const [index, response] of held.entries()) response.end(`answer ${index}`);
  const text = Buffer.concat(await heard).toString();
  expect(text.match(/answer .|connection: close/gi)).toEqual(["answer 0", "connection: close", "answer 1"]);
  await closed;
});

test("who asks ever more and takes no answer is hung up on", async () => {
  let count = 0;
  const listener = await listenOn(
    boundedServer(() => void count++, undefined),
    "127.0.0.1",
    0,
  );
  const client = net.connect(listener.port, listener.host);
  client.on("error", () => {});
  const hungUp = once(client, "close");
  client.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(httpUnansweredMax + 10));
  await hungUp;
  expect(count).toBe(httpUnansweredMax);
  await listener.close();
});

test("who is connected and speaks no TLS yet does not keep a server open that is closed", async () => {
  withoutTime();
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
