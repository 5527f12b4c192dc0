/** The server's bounds, over real sockets: what never reaches whoever answers. */
import { once } from "node:events";
import net from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { httpBodyBytesMax, httpHeaderBytesMax } from "#src/core/limits.ts";
import type { HttpRequest } from "#src/host/http.ts";
import { askHttp } from "#src/host/node/http-client.ts";
import { listenHttp } from "#src/host/node/http-server.ts";

async function serving() {
  const seen: HttpRequest[] = [];
  const listener = await listenHttp({
    host: "127.0.0.1",
    port: 0,
    handle: async (request) => {
      seen.push(request);
      return { status: 200, headers: { "content-type": "application/json" }, body: `${request.body.length}` };
    },
  });
  onTestFinished(() => listener.close());
  const url = new URL(`http://127.0.0.1:${listener.port}/a`);
  return { listener, seen, url };
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

describe("an HTTP server", () => {
  test("hands on whole requests as they came, and sends whole answers", async () => {
    const { seen, url } = await serving();
    const answer = await askHttp({
      url: new URL("/a/%2e%2e%2fb?c=%00", url),
      method: "PUT",
      headers: { "X-Mixed": "Case", "content-type": "application/json" },
      body: "hello",
    });
    expect(answer).toEqual({ status: 200, contentType: "application/json", body: "5" });
    expect(seen).toMatchObject([{ method: "PUT", target: "/a/%2e%2e%2fb?c=%00", headers: { "x-mixed": "Case" } }]);
    expect(seen[0]?.body.toString()).toBe("hello");
  });

  test("fault 34: takes a longest body, and answers a longer one with 413", async () => {
    const { seen, url } = await serving();
    const ask = (byteLength: number) =>
      askHttp({ url, method: "POST", headers: {}, body: "x".repeat(byteLength) }).then(({ status }) => status);
    expect(await ask(httpBodyBytesMax)).toBe(200);
    expect(await ask(httpBodyBytesMax + 1)).toBe(413);
    expect(await ask(20 * httpBodyBytesMax)).toBe(413);
    expect(seen).toHaveLength(1);
  });

  test("fault 34: counts a body that comes in chunks as well", async () => {
    const { listener, seen } = await serving();
    const chunk = `8000\r\n${"x".repeat(0x8000)}\r\n`;
    const head = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    expect(await told(listener.port, `${head}${chunk.repeat(3)}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
    expect(seen).toEqual([]);
  });

  const head = "GET / HTTP/1.1\r\nhost: a\r\n";
  test.each([
    ["a header that is too long", `${head}x: ${"x".repeat(httpHeaderBytesMax)}\r\n\r\n`, "431"],
    ["very many headers", `${head}${"x: y\r\n".repeat(3000)}\r\n`, "431"],
    ["no HTTP at all", "hello\r\n\r\n", "400"],
    ["NUL in a header", `${head}x: a\0b\r\n\r\n`, "400"],
    ["NUL in the address", "GET /\0 HTTP/1.1\r\nhost: a\r\n\r\n", "400"],
    ["two lengths", `${head}content-length: 1\r\ncontent-length: 2\r\n\r\nab`, "400"],
    ["length and chunks", `${head}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, "400"],
    ["a length below zero", `${head}content-length: -1\r\n\r\n`, "400"],
    ["no host", "GET / HTTP/1.1\r\n\r\n", "400"],
  ])("answers %s with an error and hangs up", async (_, text, status) => {
    const { listener, seen } = await serving();
    expect(await told(listener.port, text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(seen).toEqual([]);
  });

  test("goes on after a client that hung up in the middle of its body", async () => {
    const { listener, seen, url } = await serving();
    const socket = net.connect(listener.port, "127.0.0.1");
    socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf");
    await once(socket, "connect");
    socket.resetAndDestroy();
    await once(socket, "close");
    expect((await askHttp({ url, method: "GET", headers: {} })).status).toBe(200);
    expect(seen).toHaveLength(1);
  });

  test("fault 34: names __proto__ among the headers are names like others", async () => {
    const { listener, seen } = await serving();
    await told(listener.port, `${head}__proto__: x\r\nconstructor: y\r\nconnection: close\r\n\r\n`);
    expect(seen[0]?.headers.authorization).toBe(undefined);
    expect({}).not.toHaveProperty("x");
  });
});

test("a server that is not there is an error of the one who asks", async () => {
  const { listener, url } = await serving();
  await listener.close();
  await expect(askHttp({ url, method: "GET", headers: {} })).rejects.toMatchObject({ code: "ECONNREFUSED" });
});
