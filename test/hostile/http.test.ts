/** What hostile clients send to the control API over real sockets: refused with an answer, and nobody else hurt. */
import { once } from "node:events";
import net from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { eventBufferBytesMax, eventMessageBytesMax, httpHeadersMax } from "#src/core/http-limits.ts";
import { httpBodyBytesMax, httpHeaderBytesMax } from "#src/core/limits.ts";
import { askHttp } from "#src/host/node/http-client.ts";
import { ScriptedSide } from "#test/control/http/scripted-side.ts";
import type { ServedApi } from "#test/control/http/served-api.ts";

async function serving(token?: string) {
  const served = new ScriptedSide().served(token);
  const listener = await served.server.listen("127.0.0.1", 0);
  onTestFinished(async () => {
    served.events.close();
    await listener.close();
  });
  const { port } = listener;
  const health = () => askHttp({ url: new URL(`http://127.0.0.1:${port}/healthz`), method: "GET", headers: {} });
  return { served, port, health };
}

/** Says this and answers all that comes until the other side hangs up. */
async function told(port: number, text: string): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1").on("data", (piece: string) => {
    answer += piece;
  });
  socket.on("error", () => {});
  socket.write(text, "latin1");
  await once(socket, "close");
  return answer;
}

function connectionsOf(served: ServedApi): Promise<number> {
  return new Promise((resolve) => served.server.app.server.getConnections((_, count) => resolve(count)));
}

const host = "host: localhost\r\n";
const last = "connection: close\r\n\r\n";
const head = `GET /healthz HTTP/1.1\r\n${host}`;

describe("fault 34: a request", () => {
  test.each([
    ["with a header that is too long", `${head}x: ${"x".repeat(httpHeaderBytesMax)}\r\n\r\n`, 431],
    ["with very many headers", `${head}${"x: y\r\n".repeat(3000)}\r\n`, 431],
    ["that is none", "hello\r\n\r\n", 400],
    ["with NUL in a header", `${head}x: a\0b\r\n\r\n`, 400],
    ["with NUL in the address", `GET /\0 HTTP/1.1\r\n${host}\r\n`, 400],
    ["with two lengths", `${head}content-length: 1\r\ncontent-length: 2\r\n\r\nab`, 400],
    ["with length and chunks", `${head}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ["with a length below zero", `${head}content-length: -1\r\n\r\n`, 400],
    ["without a host", "GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n", 400],
    ["with a way up", `GET /api/v1/volumes/../status HTTP/1.1\r\n${host}${last}`, 400],
    ["with an encoded way up", `GET /api/v1/volumes/%2e%2E HTTP/1.1\r\n${host}${last}`, 400],
    ["with a way up behind a name", `GET /api/v1/volumes/a%2f..%2fb HTTP/1.1\r\n${host}${last}`, 400],
    ["to another server", `GET http://elsewhere/api/v1/volumes HTTP/1.1\r\n${host}${last}`, 400],
    ["to no address", `OPTIONS * HTTP/1.1\r\n${host}${last}`, 400],
    ["by the name of a prototype", `GET /api/v1/__proto__ HTTP/1.1\r\n${host}${last}`, 404],
    ["in no method", `__proto__ /api/v1/volumes HTTP/1.1\r\n${host}${last}`, 400],
    ["to open a way through", `CONNECT localhost:1 HTTP/1.1\r\n${host}${last}`, 0],
  ])("%s is refused, and the connection ends", async (_, text, status) => {
    const { port, health } = await serving();
    const answer = await told(port, text);
    if (status === 0) expect(answer).toBe("");
    else expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*"status":${status}|^HTTP/1\\.1 ${status} `));
    expect((await health()).status).toBe(200);
  });

  test("has no more headers than are looked at, and no name among them is another one's", async () => {
    const { port } = await serving();
    const many = (count: number) => Array.from({ length: count }, (_, index) => `x-${index}: y\r\n`).join("");
    expect(await told(port, `${head}__proto__: x\r\n${many(httpHeadersMax - 10)}${last}`)).toMatch(/^HTTP\/1\.1 200 /);
    expect({}).not.toHaveProperty("x");
    expect(await told(port, `${head}${many(httpHeadersMax + 10)}${last}`)).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("may have the longest body, and no longer one, in one piece or in chunks", async () => {
    const { port } = await serving();
    const url = new URL(`http://localhost:${port}/api/v1/store/verify`);
    const headers = { "content-type": "application/json" };
    const ask = async (bytes: number) => {
      const answer = await askHttp({ url, method: "POST", headers, body: `"${"x".repeat(bytes - 2)}"` });
      return [answer.status, JSON.parse(answer.body).detail];
    };
    expect(await ask(httpBodyBytesMax)).toEqual([400, "the body must be a JSON object"]);
    expect(await ask(httpBodyBytesMax + 1)).toEqual([413, expect.stringContaining("at most 65536 bytes")]);
    const chunk = `8000\r\n${"x".repeat(0x8000)}\r\n`;
    const chunked = `POST /api/v1/store/verify HTTP/1.1\r\n${host}content-type: application/json\r\n`;
    const text = `${chunked}transfer-encoding: chunked\r\n\r\n${chunk.repeat(3)}0\r\n\r\n`;
    expect(await told(port, text)).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("for the head alone is answered without a body, and the connection serves the next one", async () => {
    const { port } = await serving();
    const twice = `HEAD /healthz HTTP/1.1\r\n${host}\r\n`.repeat(2);
    const answer = await told(port, `${twice}HEAD /healthz HTTP/1.1\r\n${host}${last}`);
    expect(answer.match(/HTTP\/1\.1 200 OK\r\n(?:[^\r]+\r\n)*\r\n/g)?.join("")).toBe(answer);
    expect(answer.match(/content-length: 21\r\n/g)).toHaveLength(3);
  });

  test("that offers another protocol besides is answered in this one", async () => {
    const { port } = await serving();
    const offer = "connection: upgrade, http2-settings, close\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n";
    expect(await told(port, `${head}${offer}`)).toMatch(/^HTTP\/1\.1 200 /);
  });

  test.each([
    ["that says for whom it is", "HTTP/1.1", "x-forwarded-for: 127.0.0.1\r\n"],
    ["that says which way it came", "HTTP/1.1", "Via: 1.1 proxy\r\n"],
    ["of HTTP/1.0, which a proxy speaks that says nothing", "HTTP/1.0", ""],
  ])("%s is none of this machine's: it needs a token, and health alone does not", async (_, version, headers) => {
    const { port } = await serving();
    const ask = (path: string) => told(port, `GET ${path} ${version}\r\n${host}${headers}${last}`);
    expect(await ask("/api/v1/caller")).toMatch(/^HTTP\/1\.1 401 [\s\S]*through a proxy, or by HTTP\/1\.0/);
    expect(await ask("/healthz")).toMatch(/^HTTP\/1\.1 200 /);
  });

  test.each([
    ["that is none", "hello\r\n\r\n"],
    ["for a WebSocket that is refused", `GET / HTTP/1.1\r\n${host}connection: upgrade\r\nupgrade: websocket\r\n\r\n`],
  ])("%s holds no connection, although its client never hangs up", async (_, text) => {
    const { served, port } = await serving();
    const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
    socket.write(text);
    await once(socket.resume(), "end");
    while ((await connectionsOf(served)) !== 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test("that is given up in the middle hurts nobody", async () => {
    const { port, health } = await serving();
    const socket = net.connect(port, "127.0.0.1");
    socket.write(`POST /api/v1/volumes HTTP/1.1\r\n${host}content-length: 100\r\n\r\nhalf`);
    await once(socket, "connect");
    socket.resetAndDestroy();
    await once(socket, "close");
    expect((await health()).status).toBe(200);
  });
});

describe("fault 34: a WebSocket", () => {
  const upgrade = (more: string, path = "/api/v1/events") =>
    `GET ${path} HTTP/1.1\r\n${more}connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n` +
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

  test.each([
    ["from a page of another site", `${host}origin: https://evil.example\r\n`, "/api/v1/events", 403],
    ["by another site's name", "host: evil.example\r\n", "/api/v1/events", 403],
    ["through a proxy", `${host}x-forwarded-for: 192.0.2.1\r\n`, "/api/v1/events", 401],
    ["somewhere else", host, "/api/v1/status", 404],
    ["behind a way up", host, "/api/v1/x/../events", 400],
    ["behind no number", host, "/api/v1/events?after=-1", 400],
    ["with an unknown wish", host, "/api/v1/events?token=x", 400],
  ])("%s is refused", async (_, headers, path, status) => {
    const { port } = await serving();
    expect(await told(port, upgrade(headers, path))).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  test("without a token, or with a wrong one, is refused where one is needed", async () => {
    const { port } = await serving("the-token");
    expect(await told(port, upgrade(host))).toMatch(/^HTTP\/1\.1 401 /);
    const wrong = `${host}sec-websocket-protocol: tidemark, token.wrong\r\n`;
    expect(await told(port, upgrade(wrong))).toMatch(/^HTTP\/1\.1 401 /);
    const socket = new WebSocket(`ws://localhost:${port}/api/v1/events`, ["tidemark", "token.the-token"]);
    await once(socket, "open");
    expect(socket.protocol).toBe("tidemark");
    socket.terminate();
  });

  test.each([
    ["says something", "hello", 1003],
    ["says too much", "x".repeat(eventMessageBytesMax + 1), 1009],
  ])("that %s is hung up on", async (_, text, code) => {
    const { port, health } = await serving();
    const socket = new WebSocket(`ws://localhost:${port}/api/v1/events`, "tidemark");
    socket.on("error", () => {});
    await once(socket, "open");
    socket.send(text);
    expect((await once(socket, "close"))[0]).toBe(code);
    expect((await health()).status).toBe(200);
  });

  test("whose client takes nothing is dropped, and what it does not take is bounded", async () => {
    const { served, port, health } = await serving();
    const socket = net.connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
    socket.write(upgrade(`${host}sec-websocket-protocol: tidemark\r\n`));
    await once(socket, "readable");
    const text = "x".repeat(16_000);
    let count = 0;
    while ((await connectionsOf(served)) !== 0 && count < 4096) {
      served.events.publish({ kind: "alarm", facts: { problem: text, count: count++ } });
      await new Promise((resolve) => setImmediate(resolve));
    }
    // What the kernel takes for a client is not counted here.
    expect(count).toBeGreaterThan(eventBufferBytesMax / text.length / 2);
    expect(count).toBeLessThan(4096);
    expect((await health()).status).toBe(200);
  });

  test("goes on behind the event that was seen last, and says where that is gone", async () => {
    const { served, port } = await serving();
    for (const name of ["a", "b", "c"]) served.events.publish({ kind: "mark", facts: { name } });
    const hear = async (after: number, next: string) => {
      const socket = new WebSocket(`ws://localhost:${port}/api/v1/events?after=${after}`, "tidemark");
      const texts: string[] = [];
      socket.on("message", (data) => texts.push(String(data)));
      await once(socket, "open");
      served.events.publish({ kind: "mark", facts: { name: next } });
      while (!texts.some((text) => text.includes(`"${next}"`))) await once(socket, "message");
      socket.terminate();
      const [hello, ...events] = texts.map((text) => JSON.parse(text));
      return [hello.missed, events.map(({ facts }: { readonly facts: { readonly name: string } }) => facts.name)];
    };
    const { oldestId } = served.events.history;
    expect(await hear(oldestId, "d")).toEqual([false, ["b", "c", "d"]]);
    expect(await hear(oldestId - 2, "e")).toEqual([true, ["a", "b", "c", "d", "e"]]);
  });
});
