/**
 * Objects as a bad service keeps them: requests fail before they are done, in the middle, or when they were done and only
 * the answer is lost; answers are late, cut or wrong; what was said to have failed happens after all; lists are of the past.
 * What goes wrong and how often is set in `faults`, or ordered for the next call of a kind.
 */
import { assert } from "#src/core/assert.ts";
import { RetryError } from "#src/core/errors.ts";
import type { Clock } from "#src/host/clock.ts";
import {
  AbsentObjectError,
  type ObjectInfo,
  type ObjectName,
  type Objects,
  type ObjectWriter,
  type VersionedDocument,
} from "#src/store/objects.ts";
import type { SpaceReserve } from "#src/store/space-reserve.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";

/**
 * - `before`: nothing is done.
 * - `middle`: a part is done, of which nothing is there afterwards; of a list or a read that part is answered.
 * - `after`: all is done.
 * - `late`: it will be done after a while. A list is of a while ago, and does not fail.
 * - `cut`, `wrong`: what is read is short, or has other bits, and nothing fails.
 */
export type ObjectFault = "before" | "middle" | "after" | "late" | "cut" | "wrong";

const faultsOf = {
  write: ["before", "middle"],
  finish: ["before", "middle", "after", "late"],
  read: ["before", "middle", "cut", "wrong"],
  sizeBytes: ["before"],
  list: ["before", "middle", "late"],
  remove: ["before", "after", "late"],
  readDocument: ["before", "cut", "wrong"],
  changeDocument: ["before", "after", "late"],
} as const satisfies Record<string, readonly ObjectFault[]>;

export type ObjectCall = keyof typeof faultsOf;
type FaultOf<Call extends ObjectCall> = (typeof faultsOf)[Call][number];

export interface ObjectFaults {
  /** How often a call of a kind goes wrong in one of its ways; 0 where nothing is said. */
  readonly chances: Partial<Record<`${ObjectCall} ${ObjectFault}`, number>>;
  /** Every call takes up to so long. */
  readonly delayMsMax: number;
  /** What is late is so by up to so much. */
  readonly lateMsMax: number;
}

/** Everything now and then. */
export function anyFaults(chance: number): ObjectFaults {
  const ways = Object.entries(faultsOf).flatMap(([call, faults]) => faults.map((fault) => `${call} ${fault}`));
  return { chances: Object.fromEntries(ways.map((way) => [way, chance])), delayMsMax: 20, lateMsMax: 2000 };
}

interface Parts {
  readonly inner: Objects;
  readonly clock: Clock;
  readonly random: SeededRandom;
}

interface RecentChange extends ObjectInfo {
  readonly isThere: boolean;
  /** Until then a list may not know of it. */
  readonly untilMs: number;
}

export class FaultyObjects implements Objects {
  faults: ObjectFaults = { chances: {}, delayMsMax: 0, lateMsMax: 0 };
  readonly #inner: Objects;
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #ordered: { readonly call: ObjectCall; readonly fault: ObjectFault | "none" }[] = [];
  #recent: RecentChange[] = [];
  #faultCount = 0;

  constructor({ inner, clock, random }: Parts) {
    this.#inner = inner;
    this.#clock = clock;
    this.#random = random;
  }

  /** So many calls have gone wrong. */
  get faultCount(): number {
    return this.#faultCount;
  }

  /** The next call of this kind, behind those ordered before, goes wrong so, or not at all. */
  order<Call extends ObjectCall>(call: Call, fault: FaultOf<Call> | "none"): void {
    this.#ordered.push({ call, fault });
  }

  create(name: ObjectName, reserve?: SpaceReserve): ObjectWriter {
    return new FaultyWriter(this, name, this.#inner.create(name, reserve));
  }

  restore(name: ObjectName): ObjectWriter {
    return new FaultyWriter(this, name, this.#inner.restore(name));
  }

  async read(name: ObjectName, target: Buffer, position: number): Promise<number> {
    const fault = await this.begin("read");
    if (fault === "before") throw refusal("read", name);
    const count = await this.#inner.read(name, target, position);
    if (fault === undefined || count === 0) return count;
    const kept = this.#random.integerBelow(count);
    if (fault === "wrong") return spoil(target.subarray(0, count), this.#random);
    target.fill(0xfa, kept, count);
    if (fault === "cut") return kept;
    throw lostAnswer("read", name);
  }

  async sizeBytes(name: ObjectName): Promise<number> {
    if ((await this.begin("sizeBytes")) !== undefined) throw refusal("sizeBytes", name);
    return await this.#inner.sizeBytes(name);
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo, void> {
    const fault = await this.begin("list");
    if (fault === "before") throw refusal("list", prefix);
    const items = await Array.fromAsync(this.#inner.list(prefix));
    const told = fault === "late" ? this.#past(items, prefix) : items;
    const end = fault === "middle" ? this.#random.integerBelow(told.length + 1) : told.length;
    yield* told.slice(0, end);
    if (fault === "middle") throw lostAnswer("list", prefix);
  }

  /** What was there a while ago, or of each change either. */
  #past(items: readonly ObjectInfo[], prefix: string): ObjectInfo[] {
    const now = this.#clock.monotonicMs();
    this.#recent = this.#recent.filter(({ untilMs }) => untilMs > now);
    const sizes = new Map(items.map(({ name, sizeBytes }) => [name, sizeBytes]));
    for (const { name, sizeBytes, isThere } of this.#recent) {
      if (!name.startsWith(prefix) || this.#random.chance(0.5)) continue;
      if (isThere) sizes.delete(name);
      else sizes.set(name, sizeBytes);
    }
    const names = [...sizes.keys()].sort();
    return names.map((name) => ({ name, sizeBytes: sizes.get(name) as number }));
  }

  async remove(name: ObjectName): Promise<void> {
    const sizeBytes = await this.#sizeOf(name);
    const remove = async (): Promise<void> => {
      await this.#inner.remove(name);
      if (sizeBytes !== undefined) this.changed(name, sizeBytes, false);
    };
    await this.done("remove", name, remove);
  }

  async #sizeOf(name: ObjectName): Promise<number | undefined> {
    try {
      return await this.#inner.sizeBytes(name);
    } catch (error) {
      if (error instanceof AbsentObjectError) return undefined;
      throw error;
    }
  }

  async readDocument(name: ObjectName): Promise<VersionedDocument | undefined> {
    const fault = await this.begin("readDocument");
    if (fault === "before") throw refusal("readDocument", name);
    const document = await this.#inner.readDocument(name);
    if (fault === undefined || document === undefined || document.bytes.length === 0) return document;
    const bytes = Buffer.from(document.bytes);
    if (fault === "wrong") spoil(bytes, this.#random);
    const length = fault === "cut" ? this.#random.integerBelow(bytes.length) : bytes.length;
    return { bytes: bytes.subarray(0, length), version: document.version };
  }

  async changeDocument(name: ObjectName, bytes: Buffer, version: string | undefined): Promise<string | undefined> {
    const kept = Buffer.from(bytes);
    return await this.done("changeDocument", name, () => this.#inner.changeDocument(name, kept, version));
  }

  async close(): Promise<void> {
    await this.#inner.close();
  }

  /** Does it as it goes wrong; `undo`: where nothing is to come of it. */
  async done<Result>(
    call: "finish" | "remove" | "changeDocument",
    name: string,
    act: () => Promise<Result>,
    undo?: () => Promise<void>,
  ): Promise<Result> {
    const fault = await this.begin(call);
    if (fault === undefined) return await act();
    if (fault === "late") {
      const delayMs = this.#random.integerBelow(this.faults.lateMsMax + 1);
      // Whatever comes of it, nobody hears.
      this.#clock.timer(delayMs, () => void act().catch(() => {}));
    }
    if (fault === "after") await act();
    if (fault === "before" || fault === "middle") await undo?.();
    throw fault === "before" ? refusal(call, name) : lostAnswer(call, name);
  }

  /** Takes a while, and says what goes wrong. */
  async begin<Call extends ObjectCall>(call: Call): Promise<FaultOf<Call> | undefined> {
    const { delayMsMax } = this.faults;
    if (delayMsMax > 0) await this.#pass(this.#random.integerBelow(delayMsMax + 1));
    const ordered = this.#takeOrder(call);
    if (ordered === "none") return undefined;
    const fault = ordered ?? this.#drawn(call);
    if (fault !== undefined) this.#faultCount++;
    return fault as FaultOf<Call> | undefined;
  }

  #pass(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.timer(delayMs, resolve);
    });
  }

  #takeOrder(call: ObjectCall): ObjectFault | "none" | undefined {
    const index = this.#ordered.findIndex((one) => one.call === call);
    return index < 0 ? undefined : this.#ordered.splice(index, 1)[0]?.fault;
  }

  #drawn(call: ObjectCall): ObjectFault | undefined {
    return faultsOf[call].find((fault) => {
      const chance = this.faults.chances[`${call} ${fault}`] ?? 0;
      return chance > 0 && this.#random.chance(chance);
    });
  }

  changed(name: ObjectName, sizeBytes: number, isThere: boolean): void {
    const lateMs = this.#random.integerBelow(this.faults.lateMsMax + 1);
    this.#recent.push({ name, sizeBytes, isThere, untilMs: this.#clock.monotonicMs() + lateMs });
  }

  partOf(count: number): number {
    return this.#random.integerBelow(count + 1);
  }
}

class FaultyWriter implements ObjectWriter {
  readonly #objects: FaultyObjects;
  readonly #name: ObjectName;
  readonly #inner: ObjectWriter;
  #isOver = false;

  constructor(objects: FaultyObjects, name: ObjectName, inner: ObjectWriter) {
    this.#objects = objects;
    this.#name = name;
    this.#inner = inner;
  }

  get writtenBytes(): number {
    return this.#inner.writtenBytes;
  }

  async write(bytes: Buffer): Promise<void> {
    assert(!this.#isOver, `${this.#name} is written after it was over`);
    const fault = await this.#objects.begin("write");
    if (fault === undefined) return await this.#inner.write(bytes);
    this.#isOver = true;
    if (fault === "middle") await this.#inner.write(bytes.subarray(0, this.#objects.partOf(bytes.length)));
    await this.#inner.abandon();
    throw fault === "before" ? refusal("write", this.#name) : lostAnswer("write", this.#name);
  }

  async finish(): Promise<void> {
    assert(!this.#isOver, `${this.#name} is written after it was over`);
    this.#isOver = true;
    const finish = async (): Promise<void> => {
      await this.#inner.finish();
      this.#objects.changed(this.#name, this.#inner.writtenBytes, true);
    };
    await this.#objects.done("finish", this.#name, finish, () => this.#inner.abandon());
  }

  async abandon(): Promise<void> {
    // What is late goes on.
    if (!this.#isOver) await this.#inner.abandon();
    this.#isOver = true;
  }
}

function refusal(call: ObjectCall, name: string): RetryError {
  return new RetryError(`${call} ${name}: the service is not available (simulated)`);
}

function lostAnswer(call: ObjectCall, name: string): RetryError {
  return new RetryError(`${call} ${name}: the service does not answer (simulated)`);
}

/** Turns up to eight bits, each once; answers how many bytes there are. */
function spoil(bytes: Buffer, random: SeededRandom): number {
  const bits = new Set<number>();
  for (let count = random.between(1, 8); count > 0; count--) bits.add(random.integerBelow(bytes.length * 8));
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
  return bytes.length;
}
