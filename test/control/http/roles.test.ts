/** Who may what: tokens, their roles, and what is noted of those who ask. */
import { expect, test } from "vitest";
import { closeCodes } from "#src/control/http/events/event-stream.ts";
import { TokenBook } from "#src/control/http/token-book.ts";
import { driven } from "#test/contract/driver.ts";
import { apiDriver } from "./api-driver.ts";
import { ScriptedSide } from "./scripted-side.ts";

const admin = "the-token-of-the-configuration";

function guarded() {
  const side = new ScriptedSide();
  const served = side.served(admin);
  const driver = apiDriver(side.simulation.clock);
  const ask = async (token: string | undefined, method: string, target: string, body: object = {}) => {
    const headers = {
      ...{ host: "tidemark.example", "content-type": "application/json" },
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const request = { method, target: `/api/v1${target}`, headers, body: Buffer.from(JSON.stringify(body)) };
    const { status, body: text } = await driven(driver, served.handle(request));
    return { status, body: JSON.parse(text) as Record<string, unknown> };
  };
  const token = async (name: string, role: string, more: object = {}) =>
    (await ask(admin, "POST", "/tokens", { name, role, ...more })).body.token as string;
  return { side, served, ask, token };
}

test("a token may what its role may, and what those before it may", async () => {
  const { ask, token } = guarded();
  const [read, operate] = [await token("r", "read"), await token("o", "operate")];
  const statuses = async (method: string, target: string, body?: object) => {
    const answers = [];
    for (const one of [undefined, read, operate, admin]) answers.push((await ask(one, method, target, body)).status);
    return answers;
  };
  expect(await statuses("GET", "/status")).toEqual([401, 200, 200, 200]);
  expect(await statuses("PUT", "/groups/g/mode", { mode: "sync" })).toEqual([401, 403, 200, 200]);
  expect(await statuses("GET", "/audit")).toEqual([401, 403, 403, 200]);
  expect(await statuses("DELETE", "/volumes/none?confirm=none")).toEqual([401, 403, 403, 404]);
});

/** A program that is not ready, and what it answers who asks whether it is. */
async function unready(token?: string) {
  const side = new ScriptedSide();
  const { handle } = side.served(token);
  const ready = async (headers: Readonly<Record<string, string>>) => {
    const request = { method: "GET", target: "/readyz", headers, body: Buffer.alloc(0) };
    const { status, body } = await driven(apiDriver(side.simulation.clock), handle(request));
    return [status, JSON.parse(body)] as const;
  };
  side.held.set("facts", new Promise(() => {}));
  await ready({ host: "localhost" });
  side.host.clock.elapse(5_000);
  return ready;
}

test("why the program is not ready is told to those who may read, and to nobody else", async () => {
  const why = expect.stringContaining("the local side has not answered");
  const guardedAnswer = await unready(admin);
  expect(await guardedAnswer({ host: "localhost" })).toEqual([503, { ready: false }]);
  expect(await guardedAnswer({ host: "h", authorization: `Bearer ${admin}` })).toEqual([503, { ready: false, why }]);
  const openAnswer = await unready();
  expect(await openAnswer({ host: "localhost" })).toEqual([503, { ready: false, why }]);
  // A name of somebody else's that leads to this machine.
  expect(await openAnswer({ host: "evil.example" })).toEqual([503, { ready: false }]);
  expect(await openAnswer({ host: "localhost", "x-forwarded-for": "192.0.2.1" })).toEqual([503, { ready: false }]);
});

test("whoever may not is told what he may, and what he would need", async () => {
  const { ask, token } = guarded();
  const read = await token("grafana", "read");
  const { body } = await ask(read, "POST", "/store/scrub");
  expect(body.detail).toBe(
    "with the token 'grafana' one may read, and this is for the role operate: " +
      "'tidemark token add NAME --role operate' makes a token for it",
  );
  expect((await ask(read, "GET", "/caller")).body).toEqual({ name: "grafana", role: "read" });
});

test("a token that was taken away, or has expired, holds no more", async () => {
  const { served, ask, token } = guarded();
  const [gone, short] = [await token("gone", "read"), await token("short", "read", { seconds: 60 })];
  expect((await ask(gone, "GET", "/caller")).status).toBe(200);
  expect((await ask(admin, "DELETE", "/tokens/gone")).status).toBe(200);
  expect((await ask(gone, "GET", "/caller")).status).toBe(401);
  expect((await ask(short, "GET", "/caller")).status).toBe(200);
  served.paper.clock.elapse(61_000);
  expect((await ask(short, "GET", "/caller")).status).toBe(401);
  expect((await ask(admin, "GET", "/tokens")).body).toMatchObject({ tokens: [{ name: "short", expired: true }] });
  expect((await ask(admin, "DELETE", "/tokens/none")).status).toBe(404);
  const again = await ask(admin, "POST", "/tokens", { name: "short", role: "admin" });
  expect([again.status, again.body.detail]).toEqual([422, expect.stringContaining("there is a token 'short' already")]);
  for (const name of ["local", "configuration", "a b", "../x"]) {
    expect((await ask(admin, "POST", "/tokens", { name, role: "read" })).status).toBe(422);
  }
});

test("a token that is taken away on a full disk holds no more, and is listed until that is durable", async () => {
  const { served, ask, token } = guarded();
  const gone = await token("gone", "admin");
  const { paper, tokens, events } = served;
  const ended: number[] = [];
  const peer = {
    unsentBytes: 0,
    send: () => {},
    ping: () => {},
    drop: () => {},
    close: (code: number) => ended.push(code),
  };
  events.add(peer, { afterId: undefined, mayGoOn: () => tokens.find(gone) !== undefined });
  const foundByStart = () => TokenBook.open(paper, "/tokens.json").find(gone) !== undefined;
  // That of the audit log, and that of the tokens.
  for (let writes = 0; writes < 2; writes++) paper.disk.failNext("write", "ENOSPC");
  const { status, body } = await ask(admin, "DELETE", "/tokens/gone");
  expect([status, body.detail]).toEqual([500, expect.stringContaining("the disk is full; make room and try again")]);
  expect([(await ask(gone, "GET", "/caller")).status, ended]).toEqual([401, [closeCodes.tokenGone]]);
  expect((await ask(admin, "GET", "/tokens")).body).toMatchObject({ tokens: [{ name: "gone", expired: true }] });
  expect(foundByStart()).toBe(true);
  expect((await ask(admin, "DELETE", "/tokens/gone")).status).toBe(200);
  expect([foundByStart(), tokens.list()]).toEqual([false, []]);
  expect((await ask(admin, "DELETE", "/tokens/gone")).status).toBe(404);
});

test("fault 35: a token is told once, and kept, listed and logged nowhere", async () => {
  const { side, served, ask, token } = guarded();
  const secret = await token("ops", "admin");
  expect(secret).toMatch(/^tdm_[\w-]{43}$/);
  await ask(secret, "PUT", "/groups/g/mode", { mode: "sync" });
  // Where it does not belong, and that of the configuration, which nothing shows to be one.
  expect((await ask(undefined, "GET", `/status?token=${secret}&access=${admin}`)).status).toBe(401);
  await ask(`${secret}x`, "GET", "/status");
  const { paper } = served;
  for (const path of ["/tokens.json", "/audit.log"]) {
    const handle = paper.files.open(path, "read");
    const bytes = Buffer.alloc(handle.sizeBytesNow());
    handle.readNow(bytes, 0, bytes.length, 0);
    expect(bytes.toString()).toContain("ops");
    for (const one of [secret, admin]) expect(bytes.toString()).not.toContain(one);
  }
  const told = [
    served.tokens.list(),
    await served.audit.last({ limit: 1000 }),
    served.events.history.since(undefined).events,
  ];
  for (const one of [secret, admin]) expect(JSON.stringify([told, side.simulation.trace.lines])).not.toContain(one);
});

test("an order is noted before and after, with who gave it and what came of it", async () => {
  const { served, ask, token } = guarded();
  const operate = await token("ops", "operate");
  await ask(operate, "PUT", "/groups/g/mode", { mode: "sync" });
  await ask(operate, "PUT", "/groups/none/mode", { mode: "sync" });
  await ask(undefined, "PUT", "/groups/g/mode", { mode: "sync" });
  await ask(undefined, "PUT", "/groups/g/mode", { mode: "sync" });
  const { entries } = (await ask(admin, "GET", "/audit")).body as { readonly entries: readonly object[] };
  const does = "PUT /api/v1/groups/g/mode";
  expect(entries.slice(1)).toMatchObject([
    { kind: "order", who: "ops", role: "operate", does, order: { mode: "sync" }, status: 200 },
    { kind: "order", who: "ops", status: 404, why: expect.stringContaining("there is no group 'none'") },
    { kind: "refusal", status: 401, does, unlisted: 0 },
  ]);
  const events = served.events.history.since(undefined).events.map(({ event }) => event);
  expect(events.map(({ kind }) => kind)).toEqual(["audit", "audit", "audit"]);
  expect(events[1]?.facts).toMatchObject({ who: "ops", action: "switches a group's mode, live", does, status: 200 });
});
