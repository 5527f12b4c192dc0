/** Every route is asked once in order and once wrongly; what it answers is held against its schema by `ServedApi`. */
import { expect, test } from "vitest";
import { namesOf } from "#src/control/http/address.ts";
import type { JsonRoute } from "#src/control/http/route.ts";
import { ContractWorld } from "./contract-world.ts";

/** What there is, in the world of the test. */
const names: Readonly<Record<string, string>> = {
  ...{ volume: "v", group: "g", view: "disk-7", job: "1", key: "11", seq: "7", token: "ops", point: "now" },
};

/** Bodies that are not empty. */
const bodies: Readonly<Record<string, object>> = {
  "POST /api/v1/volumes": { name: "w", source: "/e" },
  "PATCH /api/v1/volumes/{volume}": { sizeBytes: 16384 },
  "PUT /api/v1/groups/{group}/mode": { mode: "sync" },
  "PUT /api/v1/volumes/{volume}/level": { level: "1m" },
  "POST /api/v1/groups/{group}/marks": { name: "m" },
  "POST /api/v1/views": { volume: "v", point: "now" },
  "POST /api/v1/views/{view}/copies": { target: "/t" },
  "POST /api/v1/restores": { volume: "v", point: "now", target: "/t" },
  "POST /api/v1/drills/refused": { volume: "v", point: "now", command: "c" },
  "POST /api/v1/drills": { view: "disk-7", outcome: "proven", command: "c", milliseconds: 1 },
  "POST /api/v1/store/keys": { keyFile: "/k" },
  "POST /api/v1/tokens": { name: "ops", role: "operate" },
};

const queries: Readonly<Record<string, string>> = {
  "DELETE /api/v1/volumes/{volume}": "?confirm=v",
  "DELETE /api/v1/groups/{group}/volumes/{volume}": "?confirm=v",
  "GET /api/v1/volumes/{volume}/density": "?from=-5m",
  "GET /api/v1/volumes/{volume}/diff": "?from=seq:1&to=now",
};

/** What takes something away comes last. */
const order = ["POST", "GET", "PUT", "PATCH", "DELETE"];

async function world() {
  const { side, ask } = await ContractWorld.made();
  const json = side
    .served()
    .routes.filter((one): one is JsonRoute => one.kind === "json" && one.path.startsWith("/api/v1"))
    .toSorted((a, b) => order.indexOf(a.method) - order.indexOf(b.method));
  return { ask, json };
}

function addressOf(path: string): string {
  return namesOf(path)
    .reduce((text, name) => text.replace(`{${name}}`, names[name] ?? "?"), path)
    .replace("/api/v1", "");
}

test("every route answers as its document says, in order", async () => {
  const { ask, json } = await world();
  const answered: string[] = [];
  for (const { method, path, statuses } of json) {
    const line = `${method} ${path}`;
    const { status, body } = await ask(method, `${addressOf(path)}${queries[line] ?? ""}`, bodies[line]);
    expect([line, statuses[status] === undefined ? body : "as it says"]).toEqual([line, "as it says"]);
    answered.push(line);
  }
  expect(Object.keys({ ...bodies, ...queries }).filter((line) => !answered.includes(line))).toEqual([]);
});

test("every route refuses what it does not know, and names what is nearest", async () => {
  const { ask, json } = await world();
  for (const { method, path, body } of json) {
    const line = `${method} ${path}`;
    const query = queries[line] ?? "";
    const address = addressOf(path);
    const strange = await ask(method, `${address}${query === "" ? "?" : `${query}&`}strange=1`, bodies[line]);
    expect([line, strange.status, strange.body.detail]).toEqual([line, 400, expect.stringContaining('"strange"')]);
    if (body === undefined) continue;
    const wrong = await ask(method, `${address}${query}`, { ...bodies[line], strange: 1 });
    expect([line, wrong.status, wrong.body.detail]).toEqual([line, 400, expect.stringContaining('"strange"')]);
  }
});
