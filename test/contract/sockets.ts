/** What every implementation of the sockets port must do. */
import { describe, expect, test } from "vitest";
import { driven } from "./driver.ts";
import { RecordingPeer } from "./recording-peer.ts";
import { describeEnds } from "./socket-ends.ts";
import { bothClosed, connected, connectMs, listening, pair, piecesOf, type SocketsBench } from "./socket-pair.ts";

export function describeSocketsContract(name: string, make: () => SocketsBench): void {
  describe(`${name} keep the contract of sockets`, () => {
    describeBytes(make);
    describeBackPressure(make);
    describeEnds(make);
    describeListening(make);
  });
}

function describeBytes(make: () => SocketsBench): void {
  test("bytes arrive in order in both directions at once, whatever the pieces and the targets", async () => {
    const sizes = [1, 7, 512, 65_536, 3, 4096, 100_000];
    const targetBytes = (readCount: number): number => sizes[readCount % sizes.length] as number;
    const both = await pair(make(), { targetBytes }, { targetBytes: (count) => targetBytes(count * 3) });
    const lengths = Array.from({ length: 60 }, (_, index) => [1, 28, 4124, 300, 20_000, 2][index % 6] as number);
    const there = piecesOf(1, lengths);
    const back = piecesOf(2, lengths.toReversed());
    both.client.start().sendPieces(there);
    both.server.start().sendPieces(back);
    const total = Buffer.concat(there).length;
    await both.driver.until(() => both.client.receivedBytes >= total && both.server.receivedBytes >= total);
    expect(both.server.content.equals(Buffer.concat(there))).toBe(true);
    expect(both.client.content.equals(Buffer.concat(back))).toBe(true);
  });

  test("what was sent before the other began to receive is kept for it", async () => {
    const both = await pair(make());
    both.client.start().sendPieces([Buffer.from("early ")]);
    await both.driver.quiet();
    both.client.sendPieces([Buffer.from("bird")]);
    both.server.start();
    await both.driver.until(() => both.server.receivedBytes === 10);
    expect(both.server.content.toString()).toBe("early bird");
  });

  test("only the asked part of a buffer is sent", async () => {
    const both = await pair(make());
    both.server.start();
    both.client.start().sendOnce(Buffer.from("..abc.."), 2, 5);
    await both.driver.until(() => both.server.receivedBytes >= 3);
    await both.driver.quiet();
    expect(both.server.content.toString()).toBe("abc");
  });

  test("many pieces are sent with one call, empty ones too, and more than a system call takes", async () => {
    const both = await pair(make());
    const pieces = piecesOf(
      3,
      Array.from({ length: 2500 }, (_, index) => index % 9),
    );
    both.server.start();
    both.client.start().sendAllOnce(pieces);
    const bytes = Buffer.concat(pieces);
    await both.driver.until(() => both.server.receivedBytes >= bytes.length);
    await both.driver.quiet();
    expect(both.server.content.equals(bytes)).toBe(true);
  });

  test("bytes that were taken may be reused at once", async () => {
    const both = await pair(make());
    both.server.start();
    both.client.start();
    const bytes = Buffer.alloc(100);
    for (let round = 0; round < 50; round++) {
      bytes.fill(round);
      const isTaken = both.client.sendOnce(bytes);
      if (!isTaken) await both.driver.until(() => both.client.connection.unsentBytes === 0);
      bytes.fill(0xff);
    }
    await both.driver.until(() => both.server.receivedBytes === 5000);
    const expected = Buffer.concat(Array.from({ length: 50 }, (_, round) => Buffer.alloc(100, round)));
    expect(both.server.content.equals(expected)).toBe(true);
  });

  test("many connections at once do not mix", async () => {
    const bench = make();
    const servers: RecordingPeer[] = [];
    const echo = (peer: RecordingPeer): void => {
      if (peer.receivedBytes === 3000) peer.sendPieces([peer.content]);
    };
    const listener = await listening(bench, (connection) => {
      servers.push(new RecordingPeer(connection, { onReceived: echo }).start());
    });
    const clients: RecordingPeer[] = [];
    for (let index = 0; index < 30; index++) {
      const client = new RecordingPeer(await connected(bench, listener.address)).start();
      client.sendPieces(piecesOf(index, [1000, 2000]));
      clients.push(client);
    }
    await bench.driver.until(() => clients.every((client) => client.receivedBytes === 3000));
    for (const [index, client] of clients.entries()) {
      expect(client.content.equals(Buffer.concat(piecesOf(index, [1000, 2000])))).toBe(true);
    }
    expect(servers.length).toBe(30);
    for (const client of clients) client.end();
    await bench.driver.until(() => [...clients, ...servers].every((peer) => peer.countOf("closed") === 1));
  });
}

function describeBackPressure(make: () => SocketsBench): void {
  test("a send that is not taken at once is drained once, and then all has arrived or is on its way", async () => {
    const bench = make();
    const { tooMuchBytes } = bench;
    const both = await pair(bench);
    const bytes = Buffer.concat(piecesOf(4, [tooMuchBytes]));
    expect(both.client.start().sendOnce(bytes)).toBe(false);
    await both.driver.quiet();
    expect(both.client.countOf("drained")).toBe(0);
    both.server.start();
    await both.driver.until(() => both.client.countOf("drained") > 0);
    expect(both.client.sendOnce(Buffer.from("more"))).toBeTypeOf("boolean");
    await both.driver.until(() => both.server.receivedBytes === tooMuchBytes + 4);
    await both.driver.quiet();
    expect(both.client.countOf("drained")).toBeLessThanOrEqual(2);
    expect(both.server.content.subarray(0, tooMuchBytes).equals(bytes)).toBe(true);
  });

  test("many pieces that are not taken at once arrive whole", async () => {
    const bench = make();
    const both = await pair(bench);
    const pieces = Array.from({ length: 64 }, (_, index) => Buffer.alloc(bench.tooMuchBytes / 64, index));
    expect(both.client.start().sendAllOnce(pieces)).toBe(false);
    both.server.start();
    await both.driver.until(() => both.server.receivedBytes === bench.tooMuchBytes);
    expect(both.server.content.equals(Buffer.concat(pieces))).toBe(true);
    await both.driver.until(() => both.client.countOf("drained") === 1);
  });

  test("nothing is received while paused, and nothing is lost", async () => {
    const both = await pair(make());
    both.client.start();
    both.server.start();
    const pieces = piecesOf(5, [10, 5000, 100, 30_000]);
    for (const piece of pieces) {
      both.server.pause();
      const before = both.server.receivedBytes;
      both.client.sendPieces([piece]);
      await both.driver.quiet();
      expect(both.server.receivedBytes).toBe(before);
      both.server.resume();
      await both.driver.until(() => both.server.receivedBytes === before + piece.length);
    }
    expect(both.server.content.equals(Buffer.concat(pieces))).toBe(true);
  });

  test("a receiver can pause inside of a read, and resume there too", async () => {
    let pauseCount = 0;
    const onReceived = (peer: RecordingPeer): void => {
      peer.pause();
      if (pauseCount++ % 2 === 0) peer.resume();
    };
    const both = await pair(make(), {}, { onReceived, targetBytes: () => 1000 });
    const bytes = Buffer.concat(piecesOf(6, [20_000]));
    both.server.start();
    both.client.start().sendPieces([bytes]);
    while (both.server.receivedBytes < bytes.length) {
      const before = both.server.receivedBytes;
      await both.driver.until(() => both.server.receivedBytes > before);
      await both.driver.quiet();
      both.server.resume();
    }
    expect(both.server.content.equals(bytes)).toBe(true);
  });

  test("an end is not told while paused", async () => {
    const both = await pair(make());
    both.client.start();
    both.server.start().pause();
    both.client.sendPieces([Buffer.from("last words")]);
    both.client.end();
    await both.driver.quiet();
    expect(both.server.events).toEqual([]);
    both.server.resume();
    await bothClosed(both);
    expect([both.server.content.toString(), both.server.events]).toEqual([
      "last words",
      ["received", "ended", "closed"],
    ]);
  });
}

function describeListening(make: () => SocketsBench): void {
  test("nobody there is an answer", async () => {
    const { sockets, driver, deserted } = make();
    await expect(driven(driver, sockets.connect(deserted, connectMs))).rejects.toThrow(/ECONNREFUSED|ENOENT/);
  });

  test("an address that is taken is not listened on again", async () => {
    const bench = make();
    const listener = await listening(bench, () => {});
    const second = bench.sockets.listen(listener.address, () => {});
    await expect(driven(bench.driver, second)).rejects.toThrow("EADDRINUSE");
    await connected(bench, listener.address);
  });

  test("closing a listener leaves the connections that stand, and frees the address", async () => {
    const bench = make();
    const both = await pair(bench);
    both.client.start();
    both.server.start();
    await driven(bench.driver, both.listener.close());
    await both.driver.quiet();
    both.client.sendPieces([Buffer.from("still here")]);
    await both.driver.until(() => both.server.receivedBytes === 10);
    await expect(driven(bench.driver, bench.sockets.connect(both.listener.address, connectMs))).rejects.toThrow();
    const again = await driven(
      bench.driver,
      bench.sockets.listen(both.listener.address, () => {}),
    );
    expect(again.address).toEqual(both.listener.address);
    await again.close();
  });

  test("whoever connects to one that never answers is told after a while", async () => {
    const { sockets, driver, silent } = make();
    if (silent === undefined) return;
    const address = await silent();
    await expect(driven(driver, sockets.connect(address, 50))).rejects.toThrow();
  });
}
