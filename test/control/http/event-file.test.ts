/** Events over a restart: what the file of them promises, and what it never gets in the way of. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EventFile } from "#src/control/http/events/event-file.ts";
import { EventHistory } from "#src/control/http/events/event-history.ts";
import { eventHead, eventLine, eventsIn } from "#src/control/http/events/event-line.ts";
import { summedLine } from "#src/control/http/summed-line.ts";
import {
  eventFileBytes,
  eventHeadBytes,
  eventLineBytesMax,
  eventPatienceMs,
  eventsKeptBytesMax,
  eventsKeptMax,
} from "#src/core/http-limits.ts";
import type { DoneCallback } from "#src/host/block-device.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

const path = "/events.log";

function world(seed = 1) {
  const simulation = new Simulation(seed);
  const host = simulation.host("a");
  const driver = simDriver(simulation.clock);
  return { host, driver, began: () => life(host) };
}

/** One start of a program. */
function life(host: SimHost) {
  const file = EventFile.open(host, path);
  const history = new EventHistory(host.clock.wallMs(), file.found, file.mayLackSome);
  const publish = (name: string): number => {
    const told = history.add({ kind: "mark", facts: { name } }, 0);
    file.add(told);
    return told.event.id;
  };
  const namesSince = (after?: number): unknown[] => history.since(after).events.map(({ event }) => event.facts.name);
  return { file, history, publish, namesSince };
}

function bytesOf(host: SimHost): Buffer {
  const handle = host.files.open(path, "read");
  const bytes = Buffer.alloc(handle.sizeBytesNow());
  handle.readNow(bytes, 0, bytes.length, 0);
  handle.close();
  return bytes;
}

function placed(host: SimHost, bytes: Buffer): void {
  const handle = host.files.create(path);
  handle.writeNow(bytes, 0, bytes.length, 0);
  handle.close();
}

/** Its writes and syncs are under way until a test ends them. */
function stuckDisk() {
  const { host, driver } = world();
  const stuck: { readonly bytes: number; readonly position: number; readonly done: DoneCallback }[] = [];
  const syncs: DoneCallback[] = [];
  /** So often it was opened, and may be. */
  const opened = { count: 0, max: Number.POSITIVE_INFINITY };
  const device = host.openBlockDevice.bind(host);
  const machine = {
    ...{ files: host.files, log: host.log, clock: host.clock, bootId: host.bootId },
    openBlockDevice: (...asked: Parameters<typeof device>) => {
      if (++opened.count > opened.max) throw new Error("EIO");
      return Object.assign(device(...asked), {
        write: (_: Buffer, __: number, bytes: number, position: number, done: DoneCallback) =>
          void stuck.push({ bytes, position, done }),
        sync: (done: DoneCallback) => void syncs.push(done),
      });
    },
  };
  return { host, driver, machine, stuck, syncs, opened };
}

describe("events over a restart", () => {
  test("are there when the program was killed, and who has seen some goes on behind them", async () => {
    const { host, driver, began } = world();
    const first = began();
    const seen = first.publish("a");
    first.publish("b");
    await driver.quiet();
    host.kill();
    const second = began();
    second.publish("c");
    expect(second.namesSince(seen)).toEqual(["b", "c"]);
    expect(second.history.since(seen).isMore).toBe(false);
    expect(second.history.since(seen - 1).isMore).toBe(false);
    expect(second.history.since(seen - 2).isMore).toBe(true);
  });

  test("are there when the power was cut, as far as they were synced; whoever comes back hears that some may lack", async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { host, driver, began } = world(seed);
      const first = began();
      const synced = first.publish("a");
      await driver.quiet();
      const last = ["b", "c", "d"].map(first.publish).at(-1) as number;
      host.cutPower();
      const second = began();
      second.publish("e");
      expect(second.namesSince(synced - 1)).toEqual(expect.arrayContaining(["a", "e"]));
      expect([synced, last].map((seen) => second.history.since(seen).isMore)).toEqual([true, true]);
    }
  });

  test("are all there when the power was cut behind an orderly end", async () => {
    const { host, driver, began } = world();
    const { file, history, publish } = began();
    const seen = publish("a");
    file.add(history.add({ kind: "program", facts: { state: "ended" } }, 0));
    await driven(driver, file.close());
    host.cutPower();
    const second = began();
    second.publish("b");
    expect(second.history.since(seen).isMore).toBe(false);
    expect(second.history.since(seen).events).toHaveLength(2);
  });

  test("are those told last, in a file that does not grow, over any number of starts", async () => {
    const { host, driver, began } = world();
    const text = "x".repeat(600);
    let count = 0;
    for (let start = 0; start < 3; start++) {
      const { publish, file } = began();
      for (let one = 0; one < eventsKeptMax; one++) publish(`${count++} ${text}`);
      await driven(driver, file.close());
    }
    expect(host.files.sizeBytes(path)).toBe(eventFileBytes);
    const { history, namesSince, file } = began();
    // The file has more.
    expect(file.found).toHaveLength(eventsKeptMax);
    const names = namesSince().map((name) => Number(String(name).split(" ")[0]));
    expect(names.at(-1)).toBe(count - 1);
    expect(names).toEqual(names.map((_, index) => count - names.length + index));
    expect(names).toHaveLength(eventsKeptMax);
    expect(history.since(history.oldestId).isMore).toBe(false);
  });

  test("are lost one by one where a line is damaged, which whoever was behind it hears", async () => {
    const { host, driver, began } = world();
    const { publish, file } = began();
    const [a, b, c] = ["a", "b", "c"].map(publish);
    await driven(driver, file.close());
    const bytes = bytesOf(host);
    bytes[bytes.indexOf('"b"') + 1] = 0x7a;
    host.files.remove(path);
    placed(host, bytes);
    const { history, namesSince } = began();
    expect(namesSince()).toEqual(["a", "c"]);
    expect([a, b, c].map((seen) => history.since(seen).isMore)).toEqual([true, false, false]);
  });

  test("wait for nobody: what a disk that stands still does not take is kept in memory alone, and has a bound", () => {
    const { machine, stuck } = stuckDisk();
    const file = EventFile.open(machine, path);
    const history = new EventHistory(0);
    const facts = { text: "x".repeat(4000) };
    for (let one = 0; one < eventsKeptMax; one++) file.add(history.add({ kind: "mark", facts }, 0));
    expect(stuck.map(({ bytes }) => bytes)).toEqual([expect.any(Number)]);
    let writtenBytes = 0;
    for (let one = stuck.pop(); one !== undefined; one = stuck.pop()) {
      writtenBytes += one.bytes;
      one.done(null);
    }
    // The first line was under way, all others had to wait.
    expect(writtenBytes - 2 * facts.text.length).toBeLessThan(eventsKeptBytesMax);
    expect(writtenBytes).toBeGreaterThan(eventsKeptBytesMax * 0.9);
  });

  test("are lost, and not tried for ever, where not even the end of the file can be made blank", () => {
    const { machine, stuck } = stuckDisk();
    const file = EventFile.open(machine, path);
    const history = new EventHistory(0);
    const publish = () => file.add(history.add({ kind: "mark", facts: { text: "x".repeat(7000) } }, 0));
    let position = 0;
    let bytes = 0;
    while (position + 2 * bytes <= eventFileBytes) {
      publish();
      const line = stuck.pop();
      [position, bytes] = [line?.position ?? 0, line?.bytes ?? 0];
      line?.done(null);
    }
    publish();
    const failed: number[] = [];
    for (let one = stuck.pop(); one !== undefined && failed.length < 10; one = stuck.pop()) {
      failed.push(one.position);
      one.done(new Error("ENOSPC"));
    }
    expect(failed).toEqual([position + bytes, eventHeadBytes]);
    publish();
    expect(stuck.map((one) => one.position)).toEqual([eventHeadBytes]);
  });

  test("are told in the log when they cannot be written, once, and go on when they can again", async () => {
    const { host, driver, began } = world();
    const said: string[] = [];
    host.logListeners.push((line) => said.push(line));
    const { publish } = began();
    host.disk.failNext("write", "ENOSPC");
    publish("a");
    await driver.quiet();
    expect(said.filter((line) => line.includes("ENOSPC"))).toHaveLength(1);
    publish("b");
    await driver.quiet();
    host.kill();
    expect(began().namesSince()).toEqual(["b"]);
  });

  test("are written once more, to a file that was opened anew, when a sync of it has failed", async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { host, driver, began } = world(seed);
      const said: string[] = [];
      host.logListeners.push((line) => said.push(line));
      const first = began();
      const seen = first.publish("a");
      await driver.quiet();
      host.disk.failNext("sync");
      for (const name of ["b", "c"]) first.publish(name);
      await driver.quiet();
      first.publish("d");
      await driver.quiet();
      expect(said.filter((line) => line.includes("events are lost"))).toHaveLength(1);
      host.cutPower();
      const second = began();
      expect(second.namesSince()).toEqual(["a", "b", "c", "d"]);
      expect(second.history.since(seen).events.map(({ before }) => before)[0]).toBe(seen);
    }
  });

  test("wait for what is under way when a sync fails, and go on where what it may have lost began", async () => {
    const { driver, machine, stuck, syncs, opened } = stuckDisk();
    const file = EventFile.open(machine, path);
    const history = new EventHistory(0);
    const publish = (): void => file.add(history.add({ kind: "mark", facts: {} }, 0));
    publish();
    const first = stuck.pop();
    first?.done(null);
    await driver.until(() => syncs.length === 1);
    publish();
    const second = stuck.pop();
    syncs.pop()?.(new Error("EIO"));
    publish();
    expect([stuck.length, opened.count]).toEqual([0, 1]);
    second?.done(null);
    await driver.until(() => opened.count === 2);
    const again = stuck.pop();
    expect([again?.position, (again?.bytes ?? 0) - (first?.bytes ?? 0)]).toEqual([
      eventHeadBytes,
      2 * (first?.bytes ?? 0),
    ]);
    again?.done(null);
    await driver.until(() => syncs.length === 1);
    syncs.pop()?.(null);
    await driver.quiet();
    expect([stuck.length, syncs.length, opened.count]).toEqual([0, 0, 2]);
  });

  test("are tried again until the file can be opened, and at the end once more", async () => {
    const { host, driver, machine, stuck, syncs, opened } = stuckDisk();
    const said: string[] = [];
    host.logListeners.push((line) => said.push(line));
    const file = EventFile.open(machine, path);
    const history = new EventHistory(0);
    const publish = (): void => file.add(history.add({ kind: "mark", facts: {} }, 0));
    publish();
    stuck.pop()?.done(null);
    await driver.until(() => syncs.length === 1);
    opened.max = 1;
    syncs.pop()?.(new Error("EIO"));
    await driver.until(() => opened.count === 4);
    publish();
    opened.max = 5;
    const closed = file.close();
    const last = stuck.pop();
    expect([opened.count, last?.position]).toEqual([5, eventHeadBytes]);
    last?.done(null);
    await driver.until(() => syncs.length === 1);
    syncs.pop()?.(null);
    await driven(driver, closed);
    expect(said.filter((line) => line.includes("events are lost"))).toHaveLength(1);
  });

  test("keep nobody from ending whose last sync fails", async () => {
    const { host, driver, began } = world();
    const { publish, file } = began();
    publish("a");
    host.disk.failNext("sync");
    const beganMs = host.clock.monotonicMs();
    await driven(driver, file.close());
    expect(host.clock.monotonicMs() - beganMs).toBeLessThan(eventPatienceMs);
  });

  test("are without those whose line would be too long, and without secrets", async () => {
    const { host, driver, began } = world();
    const { publish } = began();
    const seen = publish("a");
    publish("x".repeat(eventLineBytesMax));
    publish("nbd://user:secret@host/x");
    await driver.quiet();
    host.kill();
    const { history, namesSince } = began();
    expect(namesSince(seen)).toEqual(["nbd://[redacted]@host/x"]);
    expect(history.since(seen).isMore).toBe(true);
  });
});

describe("a file of events", () => {
  test("that is damaged gets another name, and one that was only just begun goes", async () => {
    const { host, driver, began } = world();
    const { publish, file } = began();
    publish("a");
    await driven(driver, file.close());
    const bytes = bytesOf(host);
    bytes[3] = 0x7a;
    host.files.remove(path);
    placed(host, bytes);
    expect(began().namesSince()).toEqual([]);
    expect(host.files.exists(`${path}.damaged`)).toBe(true);
    const zeros = world();
    placed(zeros.host, Buffer.alloc(eventFileBytes));
    zeros.began().publish("b");
    await zeros.driver.quiet();
    zeros.host.kill();
    expect(zeros.began().namesSince()).toEqual(["b"]);
    expect(zeros.host.files.exists(`${path}.damaged`)).toBe(false);
  });

  test("that has an event twice, of before and behind a sync that has failed, tells it once", () => {
    const event = (id: number) => ({ id, time: "t", kind: "mark", facts: {} }) as const;
    const line = (id: number): Buffer => eventLine({ event: event(id), before: id - 1, boot: "b" }) as Buffer;
    const bytes = Buffer.concat([eventHead(), ...[1, 2, 3, 2].map(line)]);
    expect(eventsIn(bytes).map(({ kept }) => kept.event.id)).toEqual([1, 2, 3]);
  });

  test("of another version is refused, and stays as it is", async () => {
    const { host, driver, began } = world();
    const bytes = Buffer.alloc(eventFileBytes);
    summedLine({ format: "tidemark-events", version: 2 }).copy(bytes);
    placed(host, bytes);
    const said: string[] = [];
    host.logListeners.push((line) => said.push(line));
    const { publish, namesSince } = began();
    publish("a");
    await driver.quiet();
    expect(said.join()).toContain("has version 2, and this program reads version 1");
    expect(namesSince()).toEqual(["a"]);
    expect(bytesOf(host).equals(bytes)).toBe(true);
  });

  test("has in version 1 the bytes that it always had", () => {
    const bytes = readFileSync(join(import.meta.dirname, "../../golden/events-v1.bin"));
    expect(bytes.subarray(0, eventHeadBytes).equals(eventHead())).toBe(true);
    const places = eventsIn(bytes);
    expect(places.map(({ kept: { event, before } }) => [before, event.id, event.kind])).toEqual([
      [1_700_000_000_000_000, 1_700_000_000_000_001, "program"],
      [1_700_000_000_000_001, 1_700_000_000_000_002, "link"],
      [1_700_000_060_000_000, 1_700_000_060_000_001, "program"],
    ]);
    const lines = places.map(({ kept }) => eventLine(kept) as Buffer);
    expect(bytes.subarray(eventHeadBytes).equals(Buffer.concat(lines))).toBe(true);
    const { host } = world();
    placed(host, bytes);
    expect(life(host).namesSince()).toHaveLength(3);
  });
});
