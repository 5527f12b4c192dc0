import { expect, test } from "vitest";
import { begunAnew, eventsKeptMax, noEvents, withEvent } from "#src/ui/event-log.ts";

const event = (id: number) => ({ id, time: "2026-01-01T00:00:00Z", kind: "mode", facts: {} });
const all = (ids: readonly number[]) => ids.map(event).reduce(withEvent, noEvents);

test("the newest is first, and what comes twice is there once", () => {
  const log = all([1, 2, 3, 2, 3, 4]);
  expect(log.events.map(({ id }) => id)).toEqual([4, 3, 2, 1]);
  expect(log.lastId).toBe(4);
});

test("no more are kept than there is room for", () => {
  const log = all(Array.from({ length: eventsKeptMax + 10 }, (_, index) => index + 1));
  expect(log.events).toHaveLength(eventsKeptMax);
  expect(log.events[0]?.id).toBe(eventsKeptMax + 10);
});

test("where they are counted anew smaller numbers are new as well", () => {
  const log = withEvent(begunAnew(all([10, 11])), event(3));
  expect(log.events.map(({ id }) => id)).toEqual([3, 11, 10]);
});
