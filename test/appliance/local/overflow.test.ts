import { describe, expect, test } from "vitest";
import { Overflow, type OverflowFacts } from "#src/appliance/local/overflow.ts";
import { overflowComeBackMs, reattachMsMax } from "#src/core/limits.ts";

const policy = { overflow: "track", overflowAfterMs: 10_000, returnAfterMs: 5_000 } as const;
const room: OverflowFacts = {
  ...{ nowMs: 0, isLinkUp: false, isStuck: false },
  ...{ usedBytes: 10, limitBytes: 100, undurableBytes: 10 },
};
const full = { ...room, usedBytes: 96, undurableBytes: 96 };

function overflowed(): Overflow {
  const overflow = new Overflow(policy);
  overflow.look(full);
  overflow.look({ ...full, nowMs: 10_000 });
  return overflow;
}

test("a spool that is full for long enough has overflowed, one that had room meanwhile has not", () => {
  const overflow = new Overflow(policy);
  expect([overflow.look(full), overflow.look({ ...full, nowMs: 9_999 }), overflow.isOverflowed]).toEqual([
    false,
    false,
    false,
  ]);
  overflow.look({ ...room, nowMs: 9_999 });
  expect(overflow.look({ ...full, nowMs: 10_000 })).toBe(false);
  expect([overflow.look({ ...full, nowMs: 20_000 }), overflow.isOverflowed]).toEqual([true, true]);
});

test("with the link up it must be full to the brim, since writers are slowed to what the remote takes", () => {
  const overflow = new Overflow(policy);
  overflow.look({ ...full, isLinkUp: true });
  expect(overflow.look({ ...full, isLinkUp: true, nowMs: 20_000 })).toBe(false);
  overflow.look({ ...full, isLinkUp: true, usedBytes: 100, nowMs: 20_000 });
  expect(overflow.look({ ...full, isLinkUp: true, usedBytes: 100, nowMs: 30_000 })).toBe(true);
});

test("a disk without room is as good a reason as the limit", () => {
  const overflow = new Overflow(policy);
  overflow.look({ ...room, isStuck: true });
  expect(overflow.look({ ...room, isStuck: true, nowMs: 10_000 })).toBe(true);
});

test("it is over when the link is there and the remote has stored half of it", () => {
  const overflow = overflowed();
  expect(overflow.look({ ...full, nowMs: 11_000, undurableBytes: 0 })).toBe(false);
  expect(overflow.look({ ...full, nowMs: 11_000, isLinkUp: true, undurableBytes: 48 })).toBe(false);
  expect(overflow.look({ ...full, nowMs: 11_000, isLinkUp: true, undurableBytes: 47 })).toBe(true);
  expect(overflow.isOverflowed).toBe(false);
});

test("it does not come back twice in a short time", () => {
  const overflow = overflowed();
  const stored = { ...full, isLinkUp: true, undurableBytes: 0 };
  overflow.look({ ...stored, nowMs: 11_000 });
  const brim = { ...full, isStuck: true };
  overflow.look({ ...brim, nowMs: 11_001 });
  const soon = new Overflow({ ...policy, overflowAfterMs: 0, returnAfterMs: 60_000 });
  soon.look(full);
  expect(soon.look({ ...stored, nowMs: 1 })).toBe(true);
  soon.look({ ...room, nowMs: 2 });
  soon.look({ ...full, nowMs: 2 + overflowComeBackMs });
  expect([soon.isOverflowed, soon.look({ ...stored, nowMs: 60_000 }), soon.look({ ...stored, nowMs: 60_001 })]).toEqual(
    [true, false, true],
  );
});

test("volumes have time to come back and make room, before one that is still full counts as overflowed again", () => {
  const soon = new Overflow({ ...policy, overflowAfterMs: 0 });
  soon.look(full);
  const stuck = { ...full, isLinkUp: true, isStuck: true, undurableBytes: 0 };
  expect(soon.look({ ...stuck, nowMs: 1 })).toBe(true);
  expect([soon.look({ ...stuck, nowMs: 250 }), soon.look({ ...stuck, nowMs: overflowComeBackMs })]).toEqual([
    false,
    false,
  ]);
  expect(overflowComeBackMs).toBeGreaterThan(reattachMsMax);
  expect(soon.look({ ...stuck, nowMs: 1 + overflowComeBackMs })).toBe(true);
});

test("one that is found full at a start was full before; one that is to stall never overflows", () => {
  const found = new Overflow(policy);
  found.begin({ ...full, isStuck: true });
  const empty = new Overflow(policy);
  empty.begin({ ...room, isStuck: true });
  const stalling = new Overflow({ ...policy, overflow: "stall" });
  stalling.begin(full);
  stalling.look(full);
  expect(stalling.look({ ...full, nowMs: 1e9 })).toBe(false);
  expect([found.isOverflowed, empty.isOverflowed, stalling.isOverflowed]).toEqual([true, false, false]);
});

test("one that is found with room for more has to be full for long enough, as while it runs", () => {
  const overflow = new Overflow(policy);
  overflow.begin(full);
  overflow.look(full);
  expect([overflow.isOverflowed, overflow.look({ ...full, nowMs: 9_999 })]).toEqual([false, false]);
  expect(overflow.look({ ...full, nowMs: 10_000 })).toBe(true);
  const beyond = new Overflow(policy);
  beyond.begin({ ...full, usedBytes: 100 });
  expect(beyond.isOverflowed).toBe(true);
});

describe("what is in it is kept by something that no return changes", () => {
  const hourMs = 3_600_000;
  const pinned = { ...full, isLinkUp: true, isStuck: true, undurableBytes: 0 };

  /** How often volumes came back within an hour; `held`: what the spool holds at that time. */
  function returnsInAnHour(
    overflow: Overflow,
    fromMs: number,
    held: (nowMs: number) => Partial<OverflowFacts>,
  ): number {
    let count = 0;
    for (let nowMs = fromMs; nowMs < fromMs + hourMs; nowMs += 250) {
      const wasOverflowed = overflow.isOverflowed;
      overflow.look({ ...pinned, ...held(nowMs), nowMs });
      if (wasOverflowed && !overflow.isOverflowed) count++;
    }
    return count;
  }

  test("the returns become rare, and stay so", () => {
    const overflow = new Overflow(policy);
    expect(returnsInAnHour(overflow, 0, () => ({}))).toBeLessThan(15);
    expect(returnsInAnHour(overflow, hourMs, () => ({}))).toBe(6);
  });

  test("they are as frequent as ever where each made room that was used up again", () => {
    const isEmptier = (nowMs: number): boolean => nowMs % 20_000 < 1_000;
    const overflow = new Overflow({ ...policy, overflowAfterMs: 0 });
    const used = (nowMs: number) => (isEmptier(nowMs) ? { usedBytes: 50, isStuck: false } : {});
    expect(returnsInAnHour(overflow, 0, used)).toBeGreaterThan(170);
  });

  test("room that comes meanwhile ends the wait, and so does a volume whose source lacks something", () => {
    for (const end of [
      (one: Overflow) => one.look({ ...pinned, usedBytes: 95, nowMs: hourMs }),
      (one: Overflow) => one.holderCame(),
    ]) {
      const overflow = new Overflow(policy);
      returnsInAnHour(overflow, 0, () => ({}));
      const waits = !overflow.look({ ...pinned, nowMs: hourMs }) && overflow.isOverflowed;
      end(overflow);
      overflow.look({ ...pinned, nowMs: hourMs + 250 });
      expect([waits, overflow.isOverflowed]).toEqual([true, false]);
    }
  });
});
