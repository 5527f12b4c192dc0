import { describe, expect, test } from "vitest";
import { type Place, Receiver } from "#src/appliance/remote/receiver.ts";
import type { GroupHello } from "#src/wire/group-link.ts";
import { hello } from "./remote-world.ts";

const known = { writer: "writer-1", life: 3, epoch: 2 };

function admitted(place: Place, change: Partial<GroupHello> = {}): Receiver {
  const receiver = new Receiver(place);
  const greeting = hello({ life: 3, epoch: Math.max(1, place.epoch), ...change });
  receiver.judge(greeting, { writer: "writer-1", life: 3, epoch: place.epoch });
  receiver.admit(greeting);
  return receiver;
}

const batch = (firstSeq: number, recordCount: number, epoch = 2) => ({
  epoch,
  firstSeq,
  recordCount,
  previous: undefined,
});
const jump = (epoch: number, firstSeq: number, previousEpoch: number, lastSeq: number) => ({
  epoch,
  firstSeq,
  recordCount: 1,
  previous: { epoch: previousEpoch, lastSeq },
});
const named = (name: string) => expect.objectContaining({ name });

describe("a writer", () => {
  const judged = (change: Partial<GroupHello>, place: Place = { epoch: 2, received: 50 }) => {
    return () => new Receiver(place).judge(hello({ life: 3, epoch: 2, ...change }), known);
  };

  test("who is known may write, and one of a later life, and one of a later epoch", () => {
    for (const change of [{}, { life: 4, writer: "writer-2" }, { epoch: 3 }]) expect(judged(change)).not.toThrow();
  });

  test.each<[string, Partial<GroupHello>, string]>([
    ["of an earlier life", { life: 2 }, "RefuseError"],
    ["of the same life that is another", { writer: "writer-2" }, "RefuseError"],
    ["of an earlier epoch", { life: 4, epoch: 1 }, "RefuseError"],
    ["whose spool begins behind a gap", { life: 4, firstSeq: 60, lastSeq: 70 }, "ResyncError"],
  ])("%s may not", (_, change, name) => {
    expect(judged(change)).toThrow(named(name));
  });

  test("whose spool begins in a later epoch says with its first record whether that is legal", () => {
    expect(judged({ life: 4, epoch: 3, firstSeq: 60, lastSeq: 70 })).not.toThrow();
  });

  test("whose spool is empty, or begins with the record that is due, may", () => {
    expect(judged({ firstSeq: 0, lastSeq: 0 })).not.toThrow();
    expect(judged({ firstSeq: 51, lastSeq: 51 })).not.toThrow();
  });

  test("of an unknown group must still have its first record", () => {
    expect(judged({ epoch: 1, firstSeq: 2, lastSeq: 3 }, { epoch: 0, received: 0 })).toThrow();
  });
});

describe("a batch", () => {
  const place = { epoch: 2, received: 50 };

  test.each<[string, ReturnType<typeof batch>, number]>([
    ["that follows is taken whole", batch(51, 4), 0],
    ["that is known is known whole", batch(40, 11), 11],
    ["that begins with known records is taken from the first new one on", batch(49, 4), 2],
    ["that is known is known in an earlier epoch, too", batch(10, 3, 1), 3],
  ])("%s", (_, received, knownCount) => {
    expect(admitted(place).judgeBatch(received)).toBe(knownCount);
  });

  test("behind a gap ends the connection where the spool has what is missing", () => {
    expect(() => admitted(place, { firstSeq: 1, lastSeq: 90 }).judgeBatch(batch(52, 1))).toThrow(
      named("ReconnectError"),
    );
  });

  test("of a stale epoch is refused", () => {
    expect(() => admitted(place).judgeBatch(batch(51, 1, 1))).toThrow(named("RefuseError"));
  });

  test("of a later epoch needs the record that says so", () => {
    expect(() => admitted(place).judgeBatch(batch(51, 1, 3))).toThrow(named("ResyncError"));
  });

  test("is the first of all with any epoch, if it begins with the first record", () => {
    expect(admitted({ epoch: 0, received: 0 }).judgeBatch(batch(1, 1, 1))).toBe(0);
    expect(() => admitted({ epoch: 0, received: 0 }).judgeBatch(batch(2, 1, 1))).toThrow(named("ReconnectError"));
  });

  test("gives no number a second time that the spool had lost and the remote still has", () => {
    const receiver = admitted(place, { life: 4, writer: "w", firstSeq: 1, lastSeq: 45 });
    expect(() => receiver.judgeBatch(batch(46, 2))).toThrow(named("ResyncError"));
    expect(receiver.judgeBatch(batch(44, 2))).toBe(2);
    expect(receiver.judgeBatch(jump(3, 100, 2, 45))).toBe(0);
  });
});

describe("an aggregate", () => {
  const place = { epoch: 2, received: 50 };
  const of = (firstSeq: number, lastSeq: number, epoch = 2) => ({ epoch, firstSeq, lastSeq, partNumber: 0 });

  test("that follows comes next, and changes nothing until it is accepted", () => {
    const receiver = admitted(place);
    expect([receiver.judgeAggregate(of(51, 90)), receiver.judgeAggregate(of(51, 51))]).toEqual(["next", "next"]);
    expect(receiver.place).toEqual(place);
    receiver.accepted(2, 90);
    expect([receiver.judgeAggregate(of(51, 90)), receiver.judgeAggregate(of(91, 92))]).toEqual(["known", "next"]);
  });

  test("that is known wholly is known, in an earlier epoch, too", () => {
    expect(admitted(place).judgeAggregate(of(10, 50))).toBe("known");
    expect(admitted(place).judgeAggregate(of(10, 20, 1))).toBe("known");
  });

  test("may be the first of all", () => {
    expect(admitted({ epoch: 0, received: 0 }).judgeAggregate(of(1, 9, 1))).toBe("next");
    expect(() => admitted({ epoch: 0, received: 0 }).judgeAggregate(of(2, 9, 1))).toThrow(named("ReconnectError"));
  });

  test.each<[string, ReturnType<typeof of>, string]>([
    ["that is known in part ends the connection", of(50, 51), "ReconnectError"],
    ["behind a gap ends the connection", of(52, 60), "ReconnectError"],
    ["of a stale epoch is refused", of(51, 60, 1), "RefuseError"],
    ["of a later epoch needs a record before it that says so", of(51, 60, 3), "ResyncError"],
  ])("%s", (_, aggregate, name) => {
    expect(() => admitted(place, { firstSeq: 1, lastSeq: 90 }).judgeAggregate(aggregate)).toThrow(named(name));
  });

  test("gives no number a second time that the spool had lost and the remote still has", () => {
    const receiver = admitted(place, { life: 4, writer: "w", firstSeq: 1, lastSeq: 45 });
    expect(() => receiver.judgeAggregate(of(46, 47))).toThrow(named("ResyncError"));
    expect(() => receiver.judgeAggregate(of(46, 60))).toThrow(named("ResyncError"));
    expect(receiver.judgeAggregate(of(40, 45))).toBe("known");
  });
});

describe("a jump", () => {
  const place = { epoch: 2, received: 50 };

  test("is legal when all that it follows is here, also where there is more", () => {
    expect(admitted(place).judgeBatch(jump(3, 100, 2, 50))).toBe(0);
    expect(admitted(place).judgeBatch(jump(5, 100, 4, 30))).toBe(0);
  });

  test.each<[string, ReturnType<typeof jump>]>([
    ["over records that nobody has", jump(3, 100, 2, 51)],
    ["to seqs that are taken", jump(3, 50, 2, 40)],
    ["from an epoch that is not earlier", jump(3, 100, 3, 50)],
    ["from behind its own record", jump(3, 100, 2, 100)],
  ])("%s is refused, and both have to compare", (_, received) => {
    const receiver = admitted(place, { epoch: 3, firstSeq: received.firstSeq, lastSeq: received.firstSeq });
    expect(() => receiver.judgeBatch(received)).toThrow(named("ResyncError"));
  });

  test("over records that the spool still has ends the connection, which then brings them", () => {
    const receiver = admitted(place, { epoch: 3, firstSeq: 40, lastSeq: 100 });
    expect(() => receiver.judgeBatch(jump(3, 100, 2, 60))).toThrow(named("ReconnectError"));
  });

  test("that came already is known", () => {
    const receiver = admitted(place);
    receiver.accepted(3, 100);
    expect(receiver.judgeBatch(jump(3, 100, 2, 50))).toBe(1);
  });
});
