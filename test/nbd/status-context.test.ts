import { expect, test } from "vitest";
import { AssertionError } from "#src/core/assert.ts";
import { command, nbdError } from "#src/nbd/constants.ts";
import { answerStatus, type StatusContext } from "#src/nbd/status-context.ts";
import { systemError } from "#test/sim/system-error.ts";
import { RecordedRequest } from "./recorded-request.ts";

const holes: StatusContext = {
  name: "base:allocation",
  extents: async (_, lengthBytes) => [
    { lengthBytes: lengthBytes / 2, status: 3 },
    { lengthBytes, status: 0 },
  ],
};
const changed: StatusContext = {
  name: "qemu:dirty-bitmap:since",
  extents: async (offset, _, countMax) => [{ lengthBytes: offset, status: countMax }],
};

async function asked(contexts: readonly string[], known: readonly StatusContext[], requestOne = false) {
  const request = new RecordedRequest({
    command: command.blockStatus,
    offset: 512,
    length: 4096,
    contexts,
    requestOne,
  });
  const raised: unknown[] = [];
  answerStatus(request, known, (error) => raised.push(error));
  await new Promise((resolve) => setImmediate(resolve));
  return { request, raised };
}

test("each context is answered by who knows it, in the order in which they were asked for", async () => {
  const { request } = await asked([changed.name, holes.name], [holes, changed], true);
  expect(request.status).toEqual([
    [{ lengthBytes: 512, status: 1 }],
    [
      { lengthBytes: 2048, status: 3 },
      { lengthBytes: 2048, status: 0 },
    ],
  ]);
});

test("a context that nobody knows is refused", async () => {
  const { request } = await asked(["base:allocation", "x-other:thing"], [holes]);
  expect(request.error).toBe(nbdError.invalid);
});

test("what cannot be read is an error of the request, and a fault of the program is raised", async () => {
  const failing = (error: Error): StatusContext => ({ ...holes, extents: () => Promise.reject(error) });
  expect((await asked([holes.name], [failing(systemError("EIO", "damaged"))])).request.error).toBe(nbdError.io);
  const { request, raised } = await asked([holes.name], [failing(new AssertionError("never"))]);
  expect([request.error, raised.length]).toEqual([undefined, 1]);
});
