/** Block status requests, from a connection's other end. */
import { describe, expect, test } from "vitest";
import { flag, request, type Style, statusPayload, type } from "#test/hostile/client-bytes.ts";
import { MemoryServer } from "#test/hostile/memory-server.ts";
import { ScriptedExport } from "#test/hostile/scripted-export.ts";

const invalid = 22;
const both = ["base:allocation", "test:second"];

async function asking(
  style: Style,
  contexts: readonly string[] = both,
  target = new ScriptedExport({ sizeBytes: 2 ** 40, memoryBytes: 0 }),
) {
  target.runs = (one) => [{ lengthBytes: one.requestOne ? one.length / 2 : one.length, status: 3 }];
  const client = (await MemoryServer.serving(target)).open(style, contexts);
  return (asked: {
    readonly flags?: number;
    readonly offset?: number;
    readonly length?: number;
    readonly payload?: Buffer;
  }) => {
    client.say(request(style, { type: type.status, cookie: 7n, ...asked }));
    const [reply, ...more] = client.replies();
    expect(more).toEqual([]);
    return reply;
  };
}

test.each(["structured", "extended"] as const)("every context is answered in %s style", async (style) => {
  const ask = await asking(style);
  expect([...(ask({ length: 4096 })?.status ?? [])]).toEqual([
    [1, [{ lengthBytes: 4096, flags: 3 }]],
    [2, [{ lengthBytes: 4096, flags: 3 }]],
  ]);
});

test.each(["structured", "extended"] as const)("a length of 2^32 - 1 is answered in %s style", async (style) => {
  const ask = await asking(style);
  const runs = ask({ offset: 5, length: 2 ** 32 - 1 })?.status.get(1);
  expect(runs).toHaveLength(1);
  expect(runs?.[0]?.lengthBytes).toBeGreaterThan(2 ** 31);
  expect(runs?.[0]?.lengthBytes).toBeLessThan(2 ** 32);
});

test("runs longer than 32 bits are told whole in extended style, and as far as can be said in the other", async () => {
  const [whole, cut] = [await asking("extended"), await asking("structured")];
  const payload = statusPayload(2 ** 40, [1]);
  expect(whole({ payload })?.status.get(1)).toEqual([{ lengthBytes: 2 ** 40, flags: 3 }]);
  expect(cut({ length: 2 ** 32 - 1 })?.status.get(1)?.[0]?.lengthBytes).toBeLessThan(2 ** 32);
});

test("the export is told when one run is enough", async () => {
  const ask = await asking("structured");
  expect(ask({ flags: flag.requestOne, length: 4096 })?.status.get(1)).toEqual([{ lengthBytes: 2048, flags: 3 }]);
});

test("is invalid without contexts, and out of range", async () => {
  const none = await asking("structured", []);
  expect(none({ length: 4096 })).toMatchObject({ error: invalid });
  const some = await asking("structured");
  expect(some({ offset: 2 ** 40, length: 1 })).toMatchObject({ error: invalid });
});

describe("a payload", () => {
  test("leaves out what it does not name, and has the length that counts", async () => {
    const ask = await asking("extended");
    const reply = ask({ offset: 4096, payload: statusPayload(2 ** 39, [2]) });
    expect([...(reply?.status ?? [])]).toEqual([[2, [{ lengthBytes: 2 ** 39, flags: 3 }]]]);
  });

  test.each([
    ["an unknown context", statusPayload(4096, [3])],
    ["a context twice", statusPayload(4096, [1, 1])],
    ["no context", statusPayload(4096, [])],
    ["half a context", statusPayload(4096, [1, 2]).subarray(0, 14)],
    ["an empty range", statusPayload(0, [1])],
    ["a range that ends outside", statusPayload(2 ** 40, [1])],
    ["a range of 64 bits", statusPayload(2n ** 64n - 1n, [1])],
  ])("with %s is invalid, and skipped", async (_what, payload) => {
    const ask = await asking("extended");
    expect(ask({ offset: 1, payload })).toMatchObject({ error: invalid });
    expect(ask({ length: 4096 })).toMatchObject({ error: 0 });
  });

  test("is understood at any cut", async () => {
    const target = new ScriptedExport({ sizeBytes: 2 ** 40, memoryBytes: 0 });
    const served = await MemoryServer.serving(target);
    const bytes = request("extended", { type: type.status, cookie: 7n, payload: statusPayload(2 ** 39, [2]) });
    for (let cut = 0; cut <= bytes.length; cut++) {
      const client = served.open("extended", both);
      client.say(bytes.subarray(0, cut));
      client.say(bytes.subarray(cut));
      expect([...(client.replies()[0]?.status ?? [])]).toEqual([[2, [{ lengthBytes: 2 ** 39, flags: 0 }]]]);
      client.connection.hangUp();
      client.replies();
      expect(served.server.heldBytes).toBe(0);
    }
  });
});
