/**
 * Sessions from a grammar, spoiled by chance, cut into segments by chance, against a whole server over connections in
 * memory. A session is made from the seed and its number alone, so a failure names both and is replayed by them.
 *
 * The oracle: no error escapes; every reply is one that the model expects, and all that it expects come; the export sees
 * only valid requests and its bytes end as the model's; after the session no memory is held and no connection is left;
 * and every so often a client that does all right is served as if nothing had been.
 */
import { assert } from "#src/core/assert.ts";
import { GiB, MiB } from "#src/core/limits.ts";
import { nbdBytesInFlightMax } from "#src/core/nbd-limits.ts";
import type { NbdExport } from "#src/nbd/export.ts";
import { NbdServer } from "#src/nbd/server.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { SimHostClock } from "#test/sim/sim-host-clock.ts";
import { Bystander } from "./bystander.ts";
import { CheckingExport, checkedBytes } from "./checking-export.ts";
import { opening, request, styles, type } from "./client-bytes.ts";
import { sessionMessages } from "./grammar.ts";
import { type MemoryConnection, MemorySockets } from "./memory-connection.ts";
import { type Expected, expectedOf } from "./model.ts";
import { spoiled } from "./mutation.ts";
import { ScriptedExport } from "./scripted-export.ts";
import { outstanding } from "./verdict.ts";

const goodSessionEvery = 256;
const stepsMax = 200_000;
const hogsGoAtStep = 300;

export class Fuzzer {
  readonly #seed: number;
  readonly #world = new SimClock();
  readonly #sockets: MemorySockets;
  readonly #server: NbdServer;
  readonly #disk: CheckingExport;
  readonly #locked: CheckingExport;
  readonly #content: Buffer;
  readonly #bystander: Bystander;
  /** Clients that hold nearly all memory, each with a payload that does not end. */
  readonly #hogs: MemoryConnection[] = [];
  #scarce = false;
  sessionCount = 0;
  /** Requests that the model expected a reply to. */
  requestCount = 0;

  private constructor(seed: number) {
    this.#seed = seed;
    const random = new SeededRandom(seed);
    const clock = new SimHostClock(this.#world);
    this.#sockets = new MemorySockets((callback) => clock.soon(callback));
    this.#disk = new CheckingExport("disk", false, random);
    this.#locked = new CheckingExport("locked", true, random);
    this.#content = random.bytes(checkedBytes);
    const vast = new ScriptedExport({ sizeBytes: GiB, memoryBytes: 0 });
    this.#bystander = new Bystander(random.bytes(checkedBytes));
    const named = new Map<string, NbdExport>([
      ["calm", this.#bystander.target],
      ["", this.#disk],
      ["disk", this.#disk],
      ["locked", this.#locked],
      ["vast", vast],
    ]);
    this.#server = new NbdServer({
      exports: { find: (name) => named.get(name), list: () => [this.#disk, this.#locked] },
      sockets: this.#sockets,
      clock,
    });
  }

  /** `scarce`: nearly all memory is taken, until a session can't go on without more. */
  static async create(seed: number, { scarce = false } = {}): Promise<Fuzzer> {
    const fuzzer = new Fuzzer(seed);
    fuzzer.#scarce = scarce;
    await fuzzer.#server.listen({ kind: "unix", path: "memory" });
    fuzzer.#bystander.come(fuzzer.#sockets.open());
    return fuzzer;
  }

  run(first: number, count: number): void {
    for (let number = first; number < first + count; number++) {
      try {
        this.#session(number);
        if (number % goodSessionEvery === 0) this.#goodSession(number);
      } catch (error) {
        throw new Error(`seed ${this.#seed}, session ${number}: ${(error as Error).message}`, { cause: error });
      }
    }
  }

  #session(number: number): void {
    const random = new SeededRandom(this.#seed).fork(String(number));
    const stream = spoiled(sessionMessages(random), random);
    this.#play(stream, random, random.chance(0.2));
  }

  #goodSession(number: number): void {
    const random = new SeededRandom(this.#seed).fork(`good ${number}`);
    const style = styles[Math.floor(number / goodSessionEvery) % styles.length] as (typeof styles)[number];
    const payload = random.bytes(5000);
    const stream = Buffer.concat([
      ...opening(style),
      request(style, { type: type.write, cookie: 1n, offset: 100, payload }),
      request(style, { type: type.read, cookie: 2n, offset: 99, length: 5002 }),
      request(style, { type: type.flush, cookie: 3n }),
      request(style, { type: type.disconnect, cookie: 4n }),
    ]);
    const { replies } = this.#play(stream, random, false);
    assert(replies.length === 3 && replies.every((reply) => reply.errors.size === 0), "a good session is served");
  }

  #play(stream: Buffer, random: SeededRandom, hangsUp: boolean): Expected {
    for (const target of [this.#disk, this.#locked]) {
      this.#content.copy(target.bytes);
      target.begin(random, random.pick([0, 0, 0.2, 0.9]));
    }
    const disks = { disk: Buffer.from(this.#content), locked: Buffer.from(this.#content) };
    const expected = expectedOf(stream, disks);
    if (this.#scarce) this.#openHogs(random);
    const connection = this.#sockets.open();
    if (random.chance(0.4)) connection.appetiteBytes = random.integerBelow(2000);
    const byteCount = hangsUp ? random.integerBelow(stream.length + 1) : stream.length;
    this.#talk(connection, stream.subarray(0, byteCount), random, hangsUp);
    const missing = outstanding(connection.output, expected);
    if (!hangsUp) {
      assert(missing === 0, `${missing} replies are missing`);
      assert(connection.isOver === expected.closes, `closed is ${connection.isOver}, expected was ${expected.closes}`);
      assert(this.#disk.bytes.equals(disks.disk), "the disk has what was written");
    }
    this.#leave(connection, random);
    this.sessionCount++;
    this.requestCount += expected.replies.length;
    return expected;
  }

  #talk(connection: MemoryConnection, stream: Buffer, random: SeededRandom, hangsUp: boolean): void {
    // Long streams are not cut as fine as short ones, so that all sessions take about as long.
    const segmentMax = Math.max(random.pick([1, 7, 40, 600, 5000, 100_000, 100_000]), Math.ceil(stream.length / 100));
    let at = 0;
    for (let steps = 0; at < stream.length && !connection.isGone; steps++) {
      assert(steps < stepsMax, "the server reads on");
      if (connection.isReading) at += connection.deliver(stream.subarray(at, at + random.between(1, segmentMax)));
      if (!connection.isReading || random.chance(0.2)) this.#stir(connection, random);
      if (steps === hogsGoAtStep) this.#endHogs();
    }
    if (hangsUp) return;
    for (let steps = 0; !this.#isQuiet(connection); steps++) {
      assert(steps < stepsMax, "the server answers");
      this.#stir(connection, random);
      if (steps > 20) connection.take(100_000);
    }
  }

  #openHogs(random: SeededRandom): void {
    let leftBytes = nbdBytesInFlightMax - random.pick([0, 8192, 65_536, 1_000_000]);
    while (this.#hogs.length < 3) {
      const connection = this.#sockets.open();
      const length = Math.min(leftBytes, 30 * MiB);
      connection.deliver(
        Buffer.concat([...opening("simple", [], "vast"), request("simple", { type: type.write, cookie: 1n, length })]),
      );
      leftBytes -= length;
      this.#hogs.push(connection);
    }
  }

  #endHogs(): void {
    for (const hog of this.#hogs.splice(0)) hog.hangUp();
    this.#world.advance(0);
  }

  #isQuiet(connection: MemoryConnection): boolean {
    this.#world.advance(0);
    if (this.#keptCount > 0 || connection.unsentBytes > 0) return false;
    if (this.#hogs.length === 0) return true;
    // Perhaps it waits for memory only.
    this.#endHogs();
    return false;
  }

  /** Something else happens: time for the server, answers of the export, the client reads. */
  #stir(connection: MemoryConnection, random: SeededRandom): void {
    if (random.chance(0.5)) this.#disk.release(random.between(1, 3));
    if (random.chance(0.5)) this.#locked.release(random.between(1, 3));
    if (random.chance(0.5)) connection.take(random.between(1, 9000));
    if (random.chance(0.7)) this.#world.advance(0);
    if (!this.#scarce && random.chance(0.1)) this.#bystander.readsOn(random);
  }

  get #keptCount(): number {
    return this.#disk.keptCount + this.#locked.keptCount;
  }

  /** The client goes, politely or not, perhaps with requests under way; afterwards nothing of it is left. */
  #leave(connection: MemoryConnection, random: SeededRandom): void {
    if (random.chance(0.3)) connection.finish();
    if (random.chance(0.5)) this.#world.advance(0);
    connection.hangUp(random.chance(0.5) ? new Error("reset") : undefined);
    if (random.chance(0.5)) this.#world.advance(0);
    this.#endHogs();
    this.#disk.release(Number.MAX_SAFE_INTEGER);
    this.#locked.release(Number.MAX_SAFE_INTEGER);
    this.#world.advance(0);
    assert(this.#keptCount === 0, "no request is left");
    assert(this.#server.connectionCount === 1, "no connection is left but the bystander's");
    assert(this.#server.heldBytes === 0, `${this.#server.heldBytes} bytes are still held`);
  }
}
