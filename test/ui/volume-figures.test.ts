/** What is not known, or known only as of before, is never said as if it were nothing, or how things are. */
import { expect, test } from "vitest";
import { firstState, type PageState } from "#src/ui/page-state.ts";
import type { ShownVolume } from "#src/ui/shown-volumes.ts";
import { figuresOf, rowsOf } from "#src/ui/volume-figures.ts";

const volume = {
  ...{ name: "disk", reference: "disk", group: "g", connections: 2, isHistoryOnly: false },
} as unknown as ShownVolume;
const group = { name: "g", mode: "async", linkUp: true, lagRecords: 2, lagBytes: 8192, lagSeconds: 3 };
const remote = { id: "01", name: "g", timeMicros: 7_200_000_000 };
const store = { state: { windows: [{ group: "01", fromSeq: 0, oldestMicros: 3_600_000_000 }] } };
const point = { atMs: 1000, writeBytesPerSecond: 4096, writesPerSecond: 1 };

interface Change {
  readonly status?: object;
  readonly state?: object;
}

function stateWith({ status = {}, state = {} }: Change = {}): PageState {
  const roles = ["interceptor", "local", "remote"];
  const known = { roles, silent: [], groups: [group], remoteGroups: [], ...status };
  const series = new Map([["disk", { points: [point] }]]);
  return { ...firstState, connection: { kind: "live" }, status: known, series, ...state } as unknown as PageState;
}

const figures = (change?: Change) =>
  figuresOf(stateWith(change), volume, 10_000).map(({ words, more }) => [words, more]);
const reaches = (change?: Change) => Object.fromEntries(rowsOf(stateWith(change), volume))["Reaches back"];

test("what was asked is told, with what is below it", () => {
  const windows = new Map([["disk", { fromMs: 4000, newestSeq: 7, newestMs: 8000 }]]);
  expect(figures({ state: { windows } })).toEqual([
    ["3.0 s", "2 records, 8.0 KiB"],
    ["4.0 KiB/s", "1 writes/s, 2 connections"],
    ["4.0 s", expect.stringMatching(/^since \d{4}-/)],
    ["seq 7", "2.0 s ago"],
  ]);
});

test("a history that nobody has asked for yet is not none", () => {
  expect(figures().slice(2)).toEqual([
    ["not known", ""],
    ["not known", ""],
  ]);
  expect(figures({ state: { windows: new Map([["disk", undefined]]) } }).slice(2)).toEqual([
    ["not yet", "no point yet"],
    ["none yet", "nothing is at the remote"],
  ]);
});

test("of a volume that was not looked at the list tells how far back its group reaches", () => {
  expect(reaches({ status: { remoteGroups: [remote], store } })).toBe("60 min");
  expect(reaches({ status: { remoteGroups: [remote, { ...remote, id: "02" }], store } })).toBe("not known");
});

test("what runs elsewhere is said to", () => {
  const status = { roles: ["interceptor"], groups: [] };
  expect(figures({ status })).toEqual([
    ["elsewhere", "the local appliance runs elsewhere"],
    ["4.0 KiB/s", "1 writes/s, 2 connections"],
    ["elsewhere", "the remote appliance runs elsewhere"],
    ["elsewhere", "the remote appliance runs elsewhere"],
  ]);
});

test("while its side does not answer nobody knows what is written", () => {
  const status = { silent: [{ side: "local", seconds: 5 }] };
  expect(figures({ status })[1]).toEqual(["not known", "2 connections when it was heard of last"]);
  expect(figures({ state: { series: new Map() } })[1]).toEqual(["not known", "2 connections"]);
});
