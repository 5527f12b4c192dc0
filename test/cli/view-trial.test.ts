import { expect, test, vi } from "vitest";
import type { ApiClient } from "#src/cli/api-client.ts";
import { tryOnView } from "#src/cli/view-trial.ts";
import { viewFacts } from "#test/control/http/scripted-side.ts";

const order = { volume: "disk", point: "now", isNearest: false, withinMs: 60_000 };

/** Opens views, and does not close them. */
const api = {
  ask: async (method: string) => {
    if (method === "DELETE") throw new Error("the program does not answer");
    return { ...viewFacts, leased: true };
  },
} as unknown as ApiClient;

test("what came of a command counts although its view cannot be closed, and that is told", async () => {
  const told = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  expect((await tryOnView(api, { ...order, command: "exit 3" })).ending?.status).toBe(3);
  const over = () => Promise.reject(new Error("it could not be noted"));
  await expect(tryOnView(api, { ...order, command: "true" }, { over })).rejects.toThrow("it could not be noted");
  expect(told.mock.calls.map(([text]) => text)).toEqual(
    [1, 2].map(() => expect.stringContaining("could not be closed: the program does not answer; if it is still there")),
  );
  told.mockRestore();
});

test.each([
  ["put away", { state: "put away", leased: false }],
  ["closed, and another of its name opened", { leased: true, opened: "2026-01-03T00:00:00.000Z" }],
])("a view that was %s while the command ran stays", async (_, now) => {
  const told = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const asked: string[] = [];
  const ask = async (method: string) => {
    asked.push(method);
    return { ...viewFacts, leased: true, ...(method === "GET" ? now : {}) };
  };
  await tryOnView({ ask } as unknown as ApiClient, { ...order, command: "true" });
  expect([asked, told.mock.calls]).toEqual([["POST", "GET"], [[expect.stringContaining("view 'disk-7' stays")]]]);
  told.mockRestore();
});
