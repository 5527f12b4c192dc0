/** A few of the fuzzer's sessions over a real socket, where segments, room and hang-ups are the system's. */
import net from "node:net";
import { expect, test } from "vitest";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { CheckingExport, checkedBytes } from "./checking-export.ts";
import { sessionMessages } from "./grammar.ts";
import { expectedOf } from "./model.ts";
import { spoiled } from "./mutation.ts";
import { serve, until } from "./served.ts";
import { outstanding } from "./verdict.ts";

const seed = 3;
const sessionCount = 1500;

/** Sends all, in pieces, and reads until the wanted replies have come, and the end if the server is to hang up. */
async function answered(
  path: string,
  stream: Buffer,
  random: SeededRandom,
  isDone: (output: Buffer) => boolean,
  closes: boolean,
) {
  const socket = net.connect(path);
  const pieces: Buffer[] = [];
  let isEnded = false;
  socket.on("data", (bytes) => pieces.push(Buffer.from(bytes)));
  socket.on("error", () => {});
  socket.on("close", () => {
    isEnded = true;
  });
  for (let at = 0; at < stream.length; ) {
    const size = random.between(1, Math.max(1, Math.ceil(stream.length / 4)));
    socket.write(stream.subarray(at, at + size));
    at += size;
  }
  await until(() => isEnded || (!closes && isDone(Buffer.concat(pieces))));
  socket.destroy();
  return Buffer.concat(pieces);
}

test("faults 30 and 31: spoiled sessions over a socket are answered as the model says", async () => {
  const content = new SeededRandom(seed).bytes(checkedBytes);
  const target = new CheckingExport("disk", false, new SeededRandom(seed));
  const locked = new CheckingExport("locked", true, new SeededRandom(seed));
  content.copy(locked.bytes);
  const named = new Map([
    ["", target],
    ["disk", target],
    ["locked", locked],
  ]);
  const exports = { find: (name: string) => named.get(name), list: () => [target, locked] };
  const { server, path } = await serve(target, { exports });
  let requestCount = 0;
  for (let number = 0; number < sessionCount; number++) {
    const random = new SeededRandom(seed).fork(String(number));
    const messages = sessionMessages(random);
    const stream = spoiled(messages, random);
    content.copy(target.bytes);
    const disks = { disk: Buffer.from(content), locked: Buffer.from(content) };
    const expected = expectedOf(stream, disks);
    const output = await answered(path, stream, random, (bytes) => outstanding(bytes, expected) === 0, expected.closes);
    const missing = outstanding(output, expected);
    // A client that is still sending when the server hangs up may lose replies that were on their way.
    expect(expected.closes ? 0 : missing, `seed ${seed}, session ${number}`).toBe(0);
    expect(target.bytes.equals(disks.disk), `seed ${seed}, session ${number}`).toBe(true);
    requestCount += expected.replies.length;
  }
  await until(() => server.connectionCount === 0);
  expect(server.heldBytes).toBe(0);
  expect(requestCount).toBeGreaterThan(sessionCount);
});
