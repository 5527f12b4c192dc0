import { expect, test } from "vitest";
import { StateSpans, surelyMs, type ToldState } from "./state-spans.ts";

const everySecond = 1000;

/** Of one volume, and of a group that has the link or not. */
function told(state: string, linkUp = true): ToldState {
  const volumes = [{ name: "disk", state }];
  const groups = [{ name: "disk", linkUp, state: "steady" }];
  return { silent: [], volumes, groups, remoteGroups: [] } as unknown as ToldState;
}

/** One after the other, each answered at once. */
function lookedAt(states: readonly (ToldState | undefined)[], role: "interceptor" | "local" = "interceptor") {
  const spans = new StateSpans();
  for (const [second, status] of states.entries()) {
    const atMs = second * everySecond;
    spans.look(role, status, { askedMs: atMs, answeredMs: atMs });
  }
  return spans.takeLasted();
}

const enough = surelyMs / everySecond + 1;
const tracking = Array.from({ length: enough }, () => told("tracking"));

test("what is so for long enough must have fired an alarm, from the first look to the last", () => {
  expect(lookedAt(tracking)).toEqual([
    { alarm: "TidemarkVolumeUnprotected", label: "volume", who: "disk", fromMs: 0, toMs: surelyMs },
  ]);
  expect(lookedAt(tracking.slice(1))).toEqual([]);
});

test.each([
  ["another state", told("open")],
  ["no answer", undefined],
  ["a side that is silent", { ...told("tracking"), silent: [{ side: "local", seconds: 3 }] } as unknown as ToldState],
])("%s in between begins it anew", (_, between) => {
  expect(lookedAt([...tracking.slice(1), between, ...tracking.slice(1)])).toEqual([]);
  expect(lookedAt([...tracking.slice(1), between, ...tracking])).toHaveLength(1);
});

test("looks that lie far apart say nothing of the time between", () => {
  const spans = new StateSpans();
  for (const atMs of [0, surelyMs, 2 * surelyMs]) {
    spans.look("interceptor", told("tracking"), { askedMs: atMs, answeredMs: atMs });
  }
  expect(spans.takeLasted()).toEqual([]);
});

test("each program is believed about what is its own", () => {
  const away = Array.from({ length: enough }, () => told("open", false));
  expect(lookedAt(away, "local")).toMatchObject([{ alarm: "TidemarkLinkDown", label: "group", who: "disk" }]);
  expect(lookedAt(away, "interceptor")).toEqual([]);
});
