/** The part of the contract of sockets that is about how connections end. */
import { expect, test } from "vitest";
import type { RecordingPeer } from "./recording-peer.ts";
import { bothClosed, pair, piecesOf, type SocketsBench } from "./socket-pair.ts";

export function describeEnds(make: () => SocketsBench): void {
  test("after an end the other hears of it behind all bytes, and both are closed once, without an error", async () => {
    const both = await pair(make());
    const bytes = Buffer.concat(piecesOf(7, [200_000]));
    both.client.start().sendPieces([bytes]);
    both.server.start();
    both.client.endAfterSending();
    await bothClosed(both);
    expect(both.server.content.equals(bytes)).toBe(true);
    expect(both.server.events).toEqual(["received", "ended", "closed"]);
    expect([both.client.closedWith, both.server.closedWith]).toEqual([undefined, undefined]);
  });

  test("who was told of the end may still answer", async () => {
    const both = await pair(make(), {}, { keepsOpen: true });
    both.client.start().sendPieces([Buffer.from("question")]);
    both.client.end();
    both.server.start();
    await both.driver.until(() => both.server.countOf("ended") === 1);
    expect(both.server.countOf("closed")).toBe(0);
    both.server.sendPieces([Buffer.from("answer")]);
    both.server.endAfterSending();
    await bothClosed(both);
    expect(both.client.content.toString()).toBe("answer");
  });

  test("both may end at the same time", async () => {
    const both = await pair(make());
    both.client.start().sendPieces([Buffer.from("a")]);
    both.server.start().sendPieces([Buffer.from("b")]);
    both.client.end();
    both.server.end();
    await bothClosed(both);
    expect([both.client.content.toString(), both.server.content.toString()]).toEqual(["b", "a"]);
  });

  test("an end that came before the other began to receive is told after the bytes", async () => {
    const both = await pair(make());
    both.client.start().sendPieces([Buffer.from("gone")]);
    both.client.end();
    await both.driver.quiet();
    both.server.start();
    await bothClosed(both);
    expect([both.server.content.toString(), both.server.events]).toEqual(["gone", ["received", "ended", "closed"]]);
  });

  test("what is destroyed is closed later, once, with the error that was given", async () => {
    const both = await pair(make());
    both.client.start();
    both.server.start();
    const reason = new Error("enough");
    both.client.destroy(reason);
    both.client.destroy();
    expect(both.client.events).toEqual([]);
    await bothClosed(both);
    expect(both.client.closedWith).toBe(reason);
    expect(both.client.events).toEqual(["closed"]);
  });

  test("what is destroyed without an error is closed without one", async () => {
    const both = await pair(make());
    both.client.start();
    both.server.start();
    both.server.destroy();
    await bothClosed(both);
    expect(both.server.closedWith).toBe(undefined);
  });

  test("a connection can be destroyed inside of a read, and hears nothing but that it is closed", async () => {
    const onReceived = (peer: RecordingPeer): void => peer.destroy();
    const both = await pair(make(), {}, { onReceived, targetBytes: () => 10 });
    both.server.start();
    both.client.start().sendPieces(piecesOf(8, [10_000]));
    await bothClosed(both);
    expect([both.server.events, both.server.receivedBytes]).toEqual([["received", "closed"], 10]);
  });

  test("a connection destroyed while bytes wait to be sent is closed once at both ends", async () => {
    const bench = make();
    const both = await pair(bench);
    expect(both.client.start().sendOnce(Buffer.alloc(bench.tooMuchBytes))).toBe(false);
    both.client.destroy();
    await both.driver.quiet();
    both.server.start();
    await bothClosed(both);
    expect(both.client.events).toEqual(["closed"]);
  });

  test("who goes on sending to one that is gone is closed once", async () => {
    const both = await pair(make());
    both.client.start().sendPieces(Array.from({ length: 200 }, () => Buffer.alloc(20_000)));
    both.server.start();
    await both.driver.until(() => both.server.receivedBytes > 0);
    both.server.destroy();
    await bothClosed(both);
  });

  test("sending on what is closed takes the bytes and does nothing", async () => {
    const both = await pair(make());
    both.client.start();
    both.server.start();
    both.client.destroy();
    expect(both.client.sendOnce(Buffer.from("too late"))).toBe(true);
    await bothClosed(both);
    expect(both.client.connection.send(Buffer.from("too late"), 0, 8)).toBe(true);
    expect(both.client.connection.sendAll([Buffer.from("too late")])).toBe(true);
    await both.driver.quiet();
    expect([both.server.receivedBytes, both.client.events]).toEqual([0, ["closed"]]);
  });

  test("what was destroyed before it was started says so when it is", async () => {
    const both = await pair(make());
    both.client.destroy();
    both.server.start();
    await both.driver.quiet();
    both.client.start();
    await bothClosed(both);
  });
}
