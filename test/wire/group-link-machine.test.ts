import { describe, expect, test } from "vitest";
import { ReconnectError, RefuseError, ResyncError } from "#src/core/errors.ts";
import { wireBackoffMsMax, wireBackoffMsMin, wireRefusedMs } from "#src/core/limits.ts";
import { GroupLinkMachine, type LinkAction, type LinkEvent } from "#src/wire/group-link-machine.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const welcome = { received: 5, durable: 4, stored: 3, epoch: 1, bootId: "b" };
const cut = new ReconnectError("the connection was cut");

function machine(...events: LinkEvent[]): GroupLinkMachine {
  const made = new GroupLinkMachine(new SeededRandom(5));
  for (const event of events) made.handle(event);
  return made;
}

const start: LinkEvent = { kind: "start" };
const joined: LinkEvent = { kind: "joined" };
const waited: LinkEvent = { kind: "waited" };
const welcomed = (nowMs = 0): LinkEvent => ({ kind: "welcomed", welcome, nowMs });
const lost = (error: Error = cut, nowMs = 0): LinkEvent => ({ kind: "lost", error, nowMs });

function kinds(actions: readonly LinkAction[]): string[] {
  return actions.map(({ kind }) => kind);
}

function delayOf(actions: readonly LinkAction[]): number {
  const wait = actions.find((action) => action.kind === "wait");
  return wait?.kind === "wait" ? wait.delayMs : Number.NaN;
}

test("a link dials, joins, and is up when the remote has welcomed it", () => {
  const it = machine();
  expect(kinds(it.handle(start))).toEqual(["dial"]);
  expect(it.handle(joined)).toEqual([]);
  expect(it.handle(welcomed())).toEqual([{ kind: "tellUp", welcome }]);
  expect(it.state).toBe("up");
});

test("a link that was up is told to be down, waits, and dials again", () => {
  const it = machine(start, joined, welcomed());
  const actions = it.handle(lost());
  expect(kinds(actions)).toEqual(["wait", "tellDown"]);
  expect(actions[1]).toEqual({ kind: "tellDown", why: "the connection was cut" });
  expect(kinds(it.handle(waited))).toEqual(["dial"]);
});

test("an attempt that came to nothing is logged, and nobody is told of a link that was never up", () => {
  expect(kinds(machine(start).handle(lost()))).toEqual(["wait", "logFailure"]);
  expect(kinds(machine(start, joined).handle(lost()))).toEqual(["wait", "logFailure"]);
});

describe("the delay", () => {
  test("grows with each failure up to a bound, and never is the same for all", () => {
    const it = machine(start);
    const delays = Array.from({ length: 12 }, () => {
      const delayMs = delayOf(it.handle(lost()));
      it.handle(waited);
      return delayMs;
    });
    for (const [index, delayMs] of delays.entries()) {
      const fullMs = Math.min(wireBackoffMsMax, wireBackoffMsMin * 2 ** index);
      expect(delayMs).toBeGreaterThanOrEqual(fullMs / 2);
      expect(delayMs).toBeLessThanOrEqual(fullMs + 1);
    }
    expect(new Set(delays.slice(-6)).size).toBeGreaterThan(1);
  });

  test("is short again after a connection that stood for a while", () => {
    const it = machine(start);
    for (let count = 0; count < 8; count++) {
      it.handle(lost());
      it.handle(waited);
    }
    it.handle(joined);
    it.handle(welcomed(1000));
    expect(delayOf(it.handle(lost(cut, 1000 + wireBackoffMsMax)))).toBeLessThanOrEqual(wireBackoffMsMin + 1);
  });

  test("goes on growing when connections fall as soon as they stand", () => {
    const it = machine(start);
    let delayMs = 0;
    for (let count = 0; count < 8; count++) {
      it.handle(joined);
      it.handle(welcomed(1000));
      delayMs = delayOf(it.handle(lost(cut, 1001)));
      it.handle(waited);
    }
    expect(delayMs).toBeGreaterThanOrEqual(wireBackoffMsMax / 2);
  });

  test("is long after a refusal", () => {
    expect(delayOf(machine(start).handle(lost(new RefuseError("no"))))).toBeGreaterThanOrEqual(wireRefusedMs / 2);
  });
});

test.each([new RefuseError("the group is not known here"), new ResyncError("the epochs do not fit")])(
  "a refusal is handed on: %s",
  (error) => {
    expect(machine(start, joined).handle(lost(error))).toContainEqual({ kind: "tellRefused", error });
    expect(kinds(machine(start, joined, welcomed()).handle(lost(error)))).toEqual(["wait", "tellDown", "tellRefused"]);
  },
);

test("a link that was stopped does nothing more, whatever happens", () => {
  for (const events of [[], [start], [start, joined], [start, joined, welcomed()], [start, lost()]]) {
    const it = machine(...events);
    expect(it.handle({ kind: "stop" })).toEqual([{ kind: "leave" }]);
    for (const event of [lost(), waited, joined, { kind: "stop" } as const]) expect(it.handle(event)).toEqual([]);
    expect(it.state).toBe("stopped");
  }
});
