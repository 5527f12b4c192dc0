/** What the API answers, and what it refuses, without a network in between. */
import { describe, expect, test } from "vitest";
import { RefuseError, RetryError } from "#src/core/errors.ts";
import { markPatienceMs, sidePatienceMs } from "#src/core/limits.ts";
import type { HttpRequest, HttpResponse } from "#src/host/http.ts";
import { driven } from "#test/contract/driver.ts";
import { apiDriver } from "./api-driver.ts";
import { group, ScriptedSide, volumeFacts } from "./scripted-side.ts";

class Caller {
  readonly side = new ScriptedSide();
  readonly #driver = apiDriver(this.side.simulation.clock);

  async ask(method: string, target: string, body?: unknown, more: Partial<HttpRequest> & { token?: string } = {}) {
    const request: HttpRequest = {
      method,
      target,
      headers: { host: "localhost:7878", "content-type": "application/json" },
      body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body ?? {})),
      ...more,
    };
    const response = await driven(this.#driver, this.side.handler(more.token)(request));
    return { status: response.status, headers: response.headers, body: bodyOf(response) };
  }
}

function bodyOf(response: HttpResponse): Record<string, unknown> {
  return JSON.parse(response.body) as Record<string, unknown>;
}

describe("what is asked for in order", () => {
  test("a volume is added, listed, looked at and removed", async () => {
    const caller = new Caller();
    const added = await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d", group: "g", mode: "sync" });
    expect([added.status, added.headers.location]).toEqual([201, "/api/v1/volumes/v"]);
    expect(added.body).toMatchObject({ name: "v", group: "g", state: "open", uris: ["nbd+unix:///v?socket=/n"] });
    expect(caller.side.asked).toMatchObject([
      { measure: { source: "/d" } },
      { addVolume: { volume: { name: "v", group: "g", source: "/d", sizeBytes: 8192 }, mode: "sync" } },
    ]);
    const { volumes } = (await caller.ask("GET", "/api/v1/volumes")).body;
    expect(volumes).toEqual([added.body]);
    expect((await caller.ask("GET", "/api/v1/volumes/v")).body).toEqual(added.body);
    expect((await caller.ask("DELETE", "/api/v1/volumes/v?confirm=v")).status).toBe(200);
    expect((await caller.ask("GET", "/api/v1/volumes/v")).status).toBe(404);
  });

  test("a volume whose removal could not be noted goes on being protected, and it is said why", async () => {
    const caller = new Caller();
    await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d" });
    caller.side.host.disk.failNext("write", "ENOSPC");
    const { status, body } = await caller.ask("DELETE", "/api/v1/volumes/v?confirm=v");
    expect([status, body.detail]).toEqual([500, expect.stringContaining("the disk is full; make room and try again")]);
    expect((await caller.ask("GET", "/api/v1/volumes/v")).body).toMatchObject({ state: "open" });
    expect(caller.side.asked.slice(-1)).toMatchObject([{ addVolume: { volume: { name: "v" }, isNew: false } }]);
    expect((await caller.ask("DELETE", "/api/v1/volumes/v?confirm=v")).status).toBe(200);
  });

  test("the log tells of each order, and of what it asked for", async () => {
    const caller = new Caller();
    await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d" });
    await caller.ask("PUT", "/api/v1/groups/g/mode", { mode: "auto" });
    await caller.ask("GET", "/api/v1/volumes");
    const orders = caller.side.simulation.trace.lines.filter((line) => line.includes("an order was carried out"));
    expect(orders).toEqual([
      expect.stringMatching(/method=POST target=\/api\/v1\/volumes order={"name":"v","source":"\/d"}$/),
      expect.stringMatching(/method=PUT target=\/api\/v1\/groups\/g\/mode order={"mode":"auto"}$/),
    ]);
  });

  test("a volume alone is a group of its own name", async () => {
    const caller = new Caller();
    const { body } = await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d" });
    expect(body).toMatchObject({ group: "v" });
  });

  test("a volume's name stands for its group's", async () => {
    const caller = new Caller();
    await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d", group: "g" });
    for (const name of ["g", "v"]) {
      expect((await caller.ask("PUT", `/api/v1/groups/${name}/mode`, { mode: "sync" })).body).toMatchObject({
        ...group,
        volumeNames: ["v"],
      });
    }
    expect(caller.side.asked.slice(-2)).toEqual(new Array(2).fill({ setMode: { group: "g", mode: "sync" } }));
  });

  test("a mark is put into a group by its name or a volume's", async () => {
    const caller = new Caller();
    await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d", group: "g" });
    const fields = { name: "m", quiesced: true, withinMilliseconds: 250 };
    const askedMs = caller.side.host.clock.hostMs();
    const { status, body } = await caller.ask("POST", "/api/v1/groups/v/marks", fields);
    const time = "1970-01-01T00:00:00.000000Z";
    expect([status, body]).toEqual([201, { group: "g", name: "m", quiesced: true, epoch: 1, seq: 7, time }]);
    expect(caller.side.asked.at(-1)).toEqual({
      mark: { group: "g", name: "m", isQuiesced: true, deadlineMs: askedMs + 250 },
    });
    const wrong = [{ name: "a b" }, { name: "m", quiesced: "yes" }, { name: "m", withinMilliseconds: 20_001 }, {}];
    for (const one of wrong) {
      expect((await caller.ask("POST", "/api/v1/groups/g/marks", one)).status).toBeGreaterThanOrEqual(400);
    }
    expect((await caller.ask("POST", "/api/v1/groups/none/marks", { name: "m" })).status).toBe(404);
  });

  test("the time for a mark counts from when it was asked for, whatever is slow before it is placed", async () => {
    const caller = new Caller();
    await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d", group: "g" });
    const { clock } = caller.side.host;
    const deadline = async (fields: object) => {
      await caller.ask("POST", "/api/v1/groups/v/marks", { name: "m", ...fields });
      return (caller.side.asked.at(-1) as { readonly mark?: { readonly deadlineMs: number } }).mark?.deadlineMs;
    };
    caller.side.held.set("facts", new Promise(() => {}));
    const beganMs = clock.hostMs();
    expect(await deadline({ withinMilliseconds: 5000 })).toBe(beganMs + 5000);
    const againMs = clock.hostMs();
    expect(againMs).toBeGreaterThan(beganMs);
    expect(await deadline({})).toBe(againMs + markPatienceMs);
    const lastMs = Math.floor(clock.hostMs()) + 1000;
    expect(await deadline({ notAfterMilliseconds: lastMs })).toBe(lastMs);
  });

  test("the status says all, and whether it is ready", async () => {
    const { status, body } = await new Caller().ask("GET", "/api/v1/status");
    expect([status, body.version, body.ready, body.groups]).toEqual([200, "1.2.3", true, [{ ...group, volumes: 0 }]]);
    expect((await new Caller().ask("GET", "/readyz")).status).toBe(200);
    expect((await new Caller().ask("GET", "/healthz")).body).toEqual({ status: "running" });
  });

  test.each([
    ["/healthz", undefined, 200],
    ["/readyz", undefined, 200],
    ["/api/v1/status", undefined, 200],
    ["/api/v1/status", "secret", 401],
    ["/api/v1/volumes/none", undefined, 404],
    ["/api/v1/store/verify", undefined, 405],
  ])("HEAD %s (token: %s) is answered as GET, without a body", async (target, token, status) => {
    const { side } = new Caller();
    const handle = side.handler(token);
    const ask = (method: string) => {
      const headers = { host: "localhost" };
      return driven(apiDriver(side.simulation.clock), handle({ method, target, headers, body: Buffer.alloc(0) }));
    };
    const [got, head] = [await ask("GET"), await ask("HEAD")];
    expect([got.status, head.status, head.body]).toEqual([status, status, ""]);
    expect(head.headers["content-type"]).toBe(got.headers["content-type"]);
    expect(head.headers.allow).toBe(got.headers.allow);
  });
});

describe("fault 34: what is hostile or a slip", () => {
  test.each([
    ["GET", "/api/v1/volumes/..%2fstatus", 400],
    ["GET", "/api/v1/volumes/a%00b", 400],
    ["GET", "/api/v1/volumes/a%5cb", 400],
    ["GET", "/api/v1/volumes/%zz", 400],
    ["GET", "/api/v1/volumes/%c0%ae", 400],
    ["GET", "/api/v1/volumes/", 404],
    ["GET", "//api/v1/volumes", 404],
    ["GET", "/api/v1/volumes/__proto__", 404],
    ["GET", "/api/v1/volumes/constructor", 404],
    ["GET", "/api/v1/__proto__", 404],
    ["GET", `/api/v1/volumes/${"v".repeat(5000)}`, 404],
    ["GET", "/", 404],
    ["DELETE", "/api/v1/volumes", 405],
    ["PUT", "/api/v1/status", 405],
    ["DELETE", "/api/v1/volumes/none", 404],
    ["GET", "/api/v1/volumes/none/trace", 404],
  ])("%s %s is answered with %d", async (method, target, status) => {
    const answer = await new Caller().ask(method, target);
    expect([answer.status, answer.body.status]).toEqual([status, status]);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
  });

  test("what is possible at an address is told where something else was asked for", async () => {
    const { status, headers, body } = await new Caller().ask("DELETE", "/api/v1/status");
    expect([status, headers.allow, body.detail]).toEqual([405, "GET, HEAD", "only GET, HEAD is possible here"]);
  });

  test.each([
    ["{", "the body is no JSON"],
    ["\xff", "the body is no JSON"],
    ["[]", "must be a JSON object"],
    ["null", "must be a JSON object"],
    ["{}", "'name' is missing"],
    ['{"name":"v"}', "'source' is missing"],
    ['{"name":5,"source":"/d"}', "'name' must be a string"],
    ['{"name":"","source":"/d"}', "'name' has 1 to 64 characters"],
    [`{"name":"${"v".repeat(65)}","source":"/d"}`, "'name' has 1 to 64 characters"],
    ['{"name":"v","source":"/d\\u0000"}', "'source' holds a NUL"],
    ['{"name":"v","sorce":"/d"}', "did you mean 'source'?"],
    ['{"__proto__":{"name":"v"},"name":"v","source":"/d"}', 'there is no field "__proto__"'],
    ['{"constructor":1,"name":"v","source":"/d"}', 'there is no field "constructor"'],
    ['{"name":"v","source":"/d","mode":"fast"}', "'mode' must be sync or async"],
    ['{"name":"v","source":"/d","sizeBytes":-1}', "'sizeBytes' must be from 0"],
    ['{"name":"v","source":"/d","sizeBytes":1.5}', "'sizeBytes' must be a whole number"],
    ['{"name":"v","source":"/d","sizeBytes":1e300}', "'sizeBytes' must be from 0"],
  ])("the body %s is refused", async (body, detail) => {
    const caller = new Caller();
    const answer = await caller.ask("POST", "/api/v1/volumes", undefined, { body: Buffer.from(body, "latin1") });
    expect([answer.status, answer.body.detail]).toEqual([400, expect.stringContaining(detail)]);
    expect(caller.side.asked).toEqual([]);
  });

  test.each(["../v", "..", ".", "a/b", "a b", "ä", "v\n"])("%j is no name of a volume", async (name) => {
    const caller = new Caller();
    const answer = await caller.ask("POST", "/api/v1/volumes", { name, source: "/d" });
    expect([answer.status, caller.side.asked]).toEqual([422, []]);
  });

  test("a body that does not say it is JSON is not read", async () => {
    const answer = await new Caller().ask("POST", "/api/v1/volumes", {}, { headers: { host: "localhost" } });
    expect(answer.status).toBe(415);
  });
});

describe("the door", () => {
  test.each([
    [{ host: "evil.example:7878" }, 403],
    [{ host: "127.0.0.1.evil.example" }, 403],
    [{ host: "localhost:7878", origin: "https://evil.example" }, 403],
    [{ host: "localhost:7878", origin: "null" }, 403],
    [{ host: "localhost:7878", origin: "http://127.0.0.1:7878" }, 403],
    [{ host: "localhost:7878", origin: "http://localhost:7878" }, 200],
    [{ host: "localhost:7878", "sec-fetch-site": "cross-site" }, 403],
    [{ host: "[::1]:7878" }, 200],
    [{ host: "localhost:7878", forwarded: "for=192.0.2.1" }, 401],
    [{ host: "localhost:7878", "x-forwarded-for": "192.0.2.1" }, 401],
    [{ host: "localhost:7878", "x-forwarded-proto": "https" }, 401],
    [{ host: "localhost:7878", "x-real-ip": "127.0.0.1" }, 401],
    [{ host: "localhost:7878", via: "1.1 proxy" }, 401],
  ])("without a token %j is answered with %d", async (headers, status) => {
    expect((await new Caller().ask("GET", "/api/v1/status", {}, { headers })).status).toBe(status);
  });

  test.each([
    [{}, 401],
    [{ authorization: "Bearer wrong" }, 401],
    [{ authorization: "Basic secret" }, 401],
    [{ authorization: "Bearer secret" }, 200],
    [{ authorization: "Bearer secret", "x-forwarded-for": "192.0.2.1" }, 200],
  ])("with a token %j is answered with %d", async (headers, status) => {
    expect((await new Caller().ask("GET", "/api/v1/status", {}, { headers, token: "secret" })).status).toBe(status);
  });

  test("health is nobody's secret", async () => {
    expect((await new Caller().ask("GET", "/healthz", {}, { headers: {}, token: "secret" })).status).toBe(200);
  });
});

describe("a side that cannot do it", () => {
  test.each(["measure", "addVolume"] as const)("what %s refuses is refused, and the volume not kept", async (word) => {
    const caller = new Caller();
    caller.side.refusals.set(word, new RefuseError("the source is mounted"));
    const answer = await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d" });
    expect([answer.status, answer.body.detail]).toEqual([422, "the source is mounted"]);
    expect((await caller.ask("GET", "/api/v1/volumes")).body).toEqual({ volumes: [] });
  });

  test("a source that was made for a volume that is refused is taken away, and any other left alone", async () => {
    const caller = new Caller();
    caller.side.refusals.set("addVolume", new RefuseError("the source is mounted"));
    await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d" });
    expect(caller.side.asked.at(-1)).toHaveProperty("addVolume");
    await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d", sizeBytes: 8192 });
    expect(caller.side.asked.at(-1)).toEqual({ unmake: { source: "/d" } });
  });

  test("what may work later is said to be worth another try", async () => {
    const caller = new Caller();
    caller.side.refusals.set("addVolume", new RetryError("the local appliance is not there"));
    const { status, body } = await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d" });
    expect([status, body.detail]).toEqual([503, "the local appliance is not there"]);
  });

  test("what its source held before is noted with the volume", async () => {
    const caller = new Caller();
    caller.side.hasContent = true;
    await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d" });
    expect(caller.side.asked.at(-1)).toMatchObject({ addVolume: { volume: { baseMissing: true } } });
  });

  test("while it does not answer, the status does, with what it said last and for how long it is silent", async () => {
    const caller = new Caller();
    caller.side.volumes.set("v", volumeFacts("v"));
    caller.side.groups = [{ ...group, lagRecords: 1, lagSeconds: 2 }];
    await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d" });
    const { promise, resolve } = Promise.withResolvers<void>();
    caller.side.held.set("facts", promise);
    await caller.ask("GET", "/api/v1/status");
    caller.side.host.clock.elapse(5_000);
    const { status, body } = await caller.ask("GET", "/api/v1/status");
    expect([status, body.ready, body.why]).toEqual([200, false, "the local side has not answered for 6 s"]);
    expect(body.volumes).toMatchObject([{ name: "v", state: "open" }]);
    // What was behind then has not come nearer.
    expect(body.groups).toMatchObject([{ lagSeconds: expect.toSatisfy((seconds) => seconds >= 7) }]);
    expect((await caller.ask("GET", "/readyz")).status).toBe(503);
    expect((await caller.ask("GET", "/healthz")).status).toBe(200);
    resolve();
    expect((await caller.ask("GET", "/api/v1/status")).body).toMatchObject({ ready: true, silent: [] });
  });

  test("an order that it does not answer is said to be open, after a while", async () => {
    const caller = new Caller();
    for (const word of ["facts", "measure"] as const) caller.side.held.set(word, new Promise(() => {}));
    const beganMs = caller.side.host.clock.monotonicMs();
    const answer = await caller.ask("PUT", "/api/v1/groups/g/mode", { mode: "sync" });
    // It never told of its groups, so there is none to be found.
    expect(answer.status).toBe(404);
    const added = await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d" });
    expect([added.status, added.headers["retry-after"]]).toEqual([503, "5"]);
    expect(added.body.detail).toContain("has not answered for 30 s (measure)");
    expect(caller.side.host.clock.monotonicMs() - beganMs).toBeGreaterThanOrEqual(sidePatienceMs);
  });

  test("a volume that takes its time is kept, and shown as opening", async () => {
    const caller = new Caller();
    const { promise, resolve } = Promise.withResolvers<void>();
    caller.side.held.set("addVolume", promise);
    const { status, body } = await caller.ask("POST", "/api/v1/volumes", { name: "v", source: "/d" });
    expect([status, body.state]).toEqual([201, "opening"]);
    resolve();
    expect((await caller.ask("GET", "/api/v1/volumes/v")).body.state).toBe("open");
  });
});
