import { once } from "node:events";
import net from "node:net";
import { expect, test } from "vitest";
import { temporaryFolder } from "#test/clients/harness.ts";
import { noise } from "#test/clients/image.ts";
import { roundTripMs, startLink } from "./link-between.ts";

/** Sends all of it in small pieces through a link to somebody who sends it back, and answers what comes. */
async function sentThrough(link: { readonly megabits: number; readonly delayMs: number }, bytes: Buffer) {
  const folder = await temporaryFolder();
  const echo = net.createServer((socket) => socket.on("error", () => {}).pipe(socket));
  await once(echo.listen(folder.file("echo")), "listening");
  await using _process = await startLink(link, folder.file("link"), folder.file("echo"));
  const socket = net.connect(folder.file("link"));
  const pieces: Buffer[] = [];
  let received = 0;
  const all = new Promise<void>((resolve) => {
    socket.on("data", (piece: Buffer) => {
      pieces.push(piece);
      received += piece.length;
      if (received >= bytes.length) resolve();
    });
  });
  for (let at = 0; at < bytes.length; at += 1000) {
    if (!socket.write(bytes.subarray(at, at + 1000))) await once(socket, "drain");
  }
  await all;
  socket.destroy();
  echo.close();
  return Buffer.concat(pieces);
}

test.each([
  { megabits: 200, delayMs: 3 },
  { megabits: Number.POSITIVE_INFINITY, delayMs: 2 },
])("all that goes through a link of $megabits Mbit/s and $delayMs ms comes, in its order", async (link) => {
  const bytes = noise(1_000_000, 5);
  expect((await sentThrough(link, bytes)).equals(bytes)).toBe(true);
});

test("a message is not there and back sooner than the link takes both ways", async () => {
  expect(await roundTripMs({ megabits: Number.POSITIVE_INFINITY, delayMs: 20 })).toBeGreaterThan(38);
});
