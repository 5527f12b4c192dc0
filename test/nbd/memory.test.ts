import { describe, expect, test } from "vitest";
import { KiB, MiB } from "#src/core/limits.ts";
import { nbdBytesInFlightMax, nbdPayloadBytesMax, nbdSmallReserveBytes } from "#src/core/nbd-limits.ts";
import { MemoryShare, TransferMemory } from "#src/nbd/memory.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

class Turns {
  readonly #pending: (() => void)[] = [];
  readonly soon = (callback: () => void): void => {
    this.#pending.push(callback);
  };

  run(): void {
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) next();
  }
}

function shareOfNew(soon: (callback: () => void) => void = () => {}): MemoryShare {
  return new MemoryShare(new TransferMemory(soon));
}

/** Of an export that has a connection. */
function joined(memory: TransferMemory): MemoryShare {
  const share = new MemoryShare(memory);
  share.join();
  return share;
}

test("what is held is the sum of what was given out, and nothing when all came back", () => {
  const memory = shareOfNew();
  const random = new SeededRandom(3);
  const out: Buffer[] = [];
  for (let count = 0; count < 5000; count++) {
    const byteLength = random.pick([0, 1, 28, 4096, 4097, 70_000, MiB, 3 * MiB + 1]);
    if (random.chance(0.5) && memory.hasRoomFor(byteLength)) {
      const buffer = memory.take(byteLength);
      expect(buffer.length).toBeGreaterThanOrEqual(byteLength);
      out.push(buffer);
    } else if (out.length > 0) memory.give(out.splice(random.integerBelow(out.length), 1)[0] as Buffer);
    expect(memory.heldBytes).toBe(out.reduce((sum, buffer) => sum + buffer.length, 0));
  }
  for (const buffer of out) memory.give(buffer);
  expect(memory.heldBytes).toBe(0);
});

test("no two that hold memory hold the same", () => {
  const memory = shareOfNew();
  const random = new SeededRandom(4);
  const out: { readonly buffer: Buffer; readonly mark: number }[] = [];
  for (let mark = 0; mark < 2000; mark++) {
    const byteLength = random.between(1, 60_000);
    if (memory.hasRoomFor(byteLength)) out.push({ buffer: memory.take(byteLength).fill(mark % 256), mark: mark % 256 });
    if (random.chance(0.4)) {
      const [gone] = out.splice(random.integerBelow(out.length), 1);
      if (gone === undefined) continue;
      expect(gone.buffer.every((byte) => byte === gone.mark)).toBe(true);
      memory.give(gone.buffer);
    }
  }
});

describe("the budget", () => {
  test("has room for the largest request when nothing is held, and afterwards for all but what another needs", () => {
    const memory = shareOfNew();
    expect(memory.hasRoomFor(nbdPayloadBytesMax + 64)).toBe(true);
    const most = memory.take(nbdBytesInFlightMax - nbdSmallReserveBytes - 64 * KiB);
    expect(memory.hasRoomFor(64 * KiB)).toBe(true);
    expect(memory.hasRoomFor(64 * KiB + 1)).toBe(false);
    memory.give(most);
    expect(memory.hasRoomFor(64 * KiB + 1)).toBe(true);
  });

  test("is scarce from half on", () => {
    const memory = new TransferMemory(() => {});
    const half = memory.take(nbdBytesInFlightMax / 2, true);
    expect(memory.scarce).toBe(false);
    const more = memory.take(1, true);
    expect(memory.scarce).toBe(true);
    memory.give(half);
    memory.give(more);
    expect(memory.scarce).toBe(false);
  });
});

describe("shares of several exports", () => {
  /** Two have connections already, and ask for nothing. */
  function sharedMemory(soon: (callback: () => void) => void = () => {}): TransferMemory {
    const memory = new TransferMemory(soon);
    joined(memory);
    joined(memory);
    return memory;
  }

  /** What each of them comes to that takes all it can get and gives nothing back. */
  function heldByStuck(memory: TransferMemory, byteLength: number): number {
    const share = new MemoryShare(memory);
    while (share.hasRoomFor(byteLength)) share.take(byteLength);
    return share.heldBytes;
  }

  test.each([4 * KiB, 60 * KiB, 128 * KiB, MiB])(
    "one that gives nothing back leaves half to others, in pieces of %i",
    (byteLength) => {
      const memory = sharedMemory();
      expect(heldByStuck(memory, byteLength)).toBeLessThanOrEqual(nbdBytesInFlightMax / 2);
      expect(memory.scarce).toBe(false);
      expect(heldByStuck(memory, byteLength)).toBeLessThanOrEqual(nbdBytesInFlightMax / 4);
      for (const one of [4 * KiB, 128 * KiB, MiB]) expect(new MemoryShare(memory).hasRoomFor(one)).toBe(true);
    },
  );

  test("one that was alone, and gives nothing back, leaves something to those that come", () => {
    const memory = new TransferMemory(() => {});
    const alone = joined(memory);
    while (alone.hasRoomFor(4 * KiB)) alone.take(4 * KiB);
    expect(alone.heldBytes).toBe(nbdBytesInFlightMax - nbdSmallReserveBytes);
    const others = [joined(memory), joined(memory)];
    expect(others.map((one) => one.hasRoomFor(MiB))).toEqual([true, true]);
    for (const one of others) while (one.hasRoomFor(4 * KiB)) one.take(4 * KiB);
    expect(others.map(({ heldBytes }) => heldBytes)).toEqual([nbdSmallReserveBytes / 2, nbdSmallReserveBytes / 4]);
  });

  test("one that is alone again goes on beyond its share", () => {
    const turns = new Turns();
    const memory = new TransferMemory(turns.soon);
    const [stays, leaves] = [joined(memory), joined(memory)];
    const calls: string[] = [];
    while (stays.hasRoomFor(MiB)) stays.take(MiB);
    stays.wait(MiB, () => calls.push("stays"));
    turns.run();
    expect(calls).toEqual([]);
    leaves.leave();
    turns.run();
    expect(calls).toEqual(["stays"]);
  });

  test("the largest request of another may begin beside it, one at a time", () => {
    const memory = sharedMemory();
    heldByStuck(memory, 128 * KiB);
    const [second, third] = [new MemoryShare(memory), new MemoryShare(memory)];
    expect(second.hasRoomFor(nbdPayloadBytesMax)).toBe(true);
    const largest = second.take(nbdPayloadBytesMax);
    expect(third.hasRoomFor(nbdPayloadBytesMax)).toBe(false);
    expect(third.hasRoomFor(MiB)).toBe(true);
    second.give(largest);
    expect(third.hasRoomFor(nbdPayloadBytesMax)).toBe(true);
    expect([second.heldBytes, third.heldBytes]).toEqual([0, 0]);
  });

  test("what has come already, and waits for its request to begin, does not keep that from it", () => {
    const turns = new Turns();
    const memory = sharedMemory(turns.soon);
    const calls: string[] = [];
    const [stuck, other, third] = [new MemoryShare(memory), new MemoryShare(memory), new MemoryShare(memory)];
    while (stuck.hasRoomFor(MiB)) stuck.take(MiB);
    const largest = third.take(nbdPayloadBytesMax);
    other.takeBeside(256 * KiB);
    other.wait(nbdPayloadBytesMax, () => calls.push("other"));
    turns.run();
    expect(calls).toEqual([]);
    third.give(largest);
    turns.run();
    expect(calls).toEqual(["other"]);
  });

  test("who waits for what never comes back keeps nobody else waiting", () => {
    const turns = new Turns();
    const memory = sharedMemory(turns.soon);
    const calls: string[] = [];
    const [stuck, other] = [new MemoryShare(memory), new MemoryShare(memory)];
    while (stuck.hasRoomFor(MiB)) stuck.take(MiB);
    stuck.wait(MiB, () => calls.push("stuck"));
    other.wait(MiB, () => calls.push("other"));
    turns.run();
    expect(calls).toEqual(["other"]);
  });
});

describe("who waits for memory", () => {
  test("is called on a later turn, also when there is room at once", () => {
    const turns = new Turns();
    const memory = shareOfNew(turns.soon);
    const calls: string[] = [];
    memory.wait(4096, () => calls.push("called"));
    expect(calls).toEqual([]);
    turns.run();
    expect(calls).toEqual(["called"]);
  });

  test("is called once, when enough has come back, first come, first served", () => {
    const turns = new Turns();
    const memory = shareOfNew(turns.soon);
    const calls: string[] = [];
    const [first, second] = [memory.take(nbdBytesInFlightMax / 2), memory.take(nbdBytesInFlightMax / 2)];
    memory.wait(nbdPayloadBytesMax, () => calls.push("large"));
    memory.wait(1, () => calls.push("small"));
    memory.give(first);
    turns.run();
    expect(calls).toEqual([]);
    memory.give(second);
    turns.run();
    expect(calls[0]).toBe("large");
    memory.give(memory.take(1));
    turns.run();
    expect(calls).toEqual(["large", "small"]);
  });

  test("is called when there is room, whatever those before it do with theirs", () => {
    const turns = new Turns();
    const memory = shareOfNew(turns.soon);
    const calls: string[] = [];
    const all = memory.take(nbdBytesInFlightMax);
    for (const name of ["first", "second", "third"]) memory.wait(4096, () => calls.push(name));
    memory.give(all);
    turns.run();
    expect(calls).toEqual(["first", "second", "third"]);
  });
});
