import { expect, test } from "vitest";
import { allMetrics } from "#src/control/metrics/all-metrics.ts";
import { MetricsReader, type MetricsReaderParts } from "#src/control/metrics/metrics-reader.ts";
import { noFacts, type SideFacts } from "#src/control/side.ts";
import type { KnownFacts } from "#src/control/side-client.ts";
import { group, volumeFacts } from "../http/scripted-side.ts";
import { measuredRemoteGroup, measuredStore, measuredVolume } from "./measured-program.ts";

const lagging = { ...group, lagRecords: 1, lagSeconds: 2 };
const localFacts: SideFacts = { ...noFacts, volumes: [volumeFacts("v")], groups: [lagging] };
const remoteFacts: SideFacts = { ...noFacts, remoteGroups: [measuredRemoteGroup], store: measuredStore };

function side(name: "local" | "remote", facts: SideFacts, ageSeconds: number): MetricsReaderParts["sides"][number] {
  const silentSeconds = ageSeconds < 1 ? 0 : ageSeconds;
  return { name, freshFacts: async (): Promise<KnownFacts> => ({ facts, silentSeconds, ageSeconds }) };
}

function partsOf(sides: MetricsReaderParts["sides"]): MetricsReaderParts {
  return {
    ...{ version: "1", runtime: "v26", roles: ["interceptor", "local", "remote"], certificates: () => [] },
    sides,
    keeper: { describe: (told) => [...told], describeGroups: (told) => [...told] },
    terms: { keepSeconds: 1, scrubSeconds: 1 },
  };
}

function reader(ages: { readonly local: number; readonly remote: number }, ofRemote = remoteFacts): MetricsReader {
  return new MetricsReader(partsOf([side("local", localFacts, ages.local), side("remote", ofRemote, ages.remote)]));
}

test("all that both sides tell is shown", async () => {
  const snapshot = await reader({ local: 0, remote: 0 }).read();
  expect(snapshot.roles.map(({ isUp }) => isUp)).toEqual([true, true, true]);
  expect(snapshot.volumes.map(({ name }) => name)).toEqual(["v"]);
  expect([snapshot.groups, snapshot.remoteGroups]).toEqual([[lagging], [measuredRemoteGroup]]);
  expect([snapshot.store, snapshot.isReady]).toEqual([measuredStore, true]);
});

test("what lags has grown older since that was told, and what does not has not", async () => {
  const { groups } = await reader({ local: 1.5, remote: 0 }).read();
  expect(groups.map(({ lagSeconds }) => lagSeconds)).toEqual([3.5]);
});

test("fault 17: a side that is held up shows as down, and nothing that it told before is shown", async () => {
  const snapshot = await reader({ local: 6, remote: 0 }).read();
  expect(snapshot.roles).toEqual([
    { role: "interceptor", isUp: false },
    { role: "local", isUp: false },
    { role: "remote", isUp: true },
  ]);
  expect([snapshot.volumes, snapshot.groups, snapshot.isReady]).toEqual([[], [], false]);
  expect(snapshot.problemCount).toBeGreaterThan(0);
  expect(snapshot.remoteGroups).toEqual([measuredRemoteGroup]);
  const other = await reader({ local: 0, remote: Number.POSITIVE_INFINITY }).read();
  expect([other.store, other.remoteGroups, other.groups]).toEqual([undefined, [], [lagging]]);
});

test("what was copied in the background only grows, also where a volume that had copied is opened anew, or goes", async () => {
  const measures = measuredVolume.measures as NonNullable<typeof measuredVolume.measures>;
  const told: { counts: Readonly<Record<string, number>> } = { counts: {} };
  const freshFacts = async (): Promise<KnownFacts> => {
    const volumes = Object.entries(told.counts).map(([name, copyBytes]) => ({ ...measures, name, copyBytes }));
    const facts = { ...noFacts, volumes: volumes.map(({ name }) => volumeFacts(name)), measures: { volumes } };
    return { facts, silentSeconds: 0, ageSeconds: 0 };
  };
  const local = new MetricsReader(partsOf([{ name: "local", freshFacts }]));
  const moved = allMetrics.find(({ name }) => name === "payload_bytes_moved_total");
  const copied = async (counts: Readonly<Record<string, number>>) => {
    told.counts = counts;
    return moved?.read(await local.read());
  };
  const of = (value: number) => [{ labels: { why: "copy" }, value }];
  expect(await copied({ v: 8192, w: 4096 })).toEqual(of(12_288));
  expect(await copied({ v: 8192, w: 8192 })).toEqual(of(16_384));
  expect(await copied({ v: 0, w: 8192 })).toEqual(of(16_384));
  expect(await copied({ v: 4096 })).toEqual(of(20_480));
  expect(await copied({ v: 4096, w: 4096 })).toEqual(of(24_576));
});

test("no two series have one name: groups of one name have their ids, and a volume that came again counts as it is now", async () => {
  const [one, other] = ["1", "2"].map((digit) => ({ ...measuredRemoteGroup, id: digit.repeat(32) }));
  const drill = (groupId: string, number: number, isProven: boolean) => ({
    ...{ volume: "v", group: "g", groupId, number, isProven, endedMs: 10 - number },
  });
  const [first, second] = ["1".repeat(32), "2".repeat(32)];
  const twice = {
    ...remoteFacts,
    remoteGroups: [one, other, { ...measuredRemoteGroup, name: "h" }] as SideFacts["remoteGroups"],
    measures: { drills: [drill(first, 2, true), drill(first, 1, false), drill(second, 1, false)] },
  };
  const snapshot = await reader({ local: 0, remote: 0 }, twice).read();
  expect(snapshot.remoteGroups.map(({ name }) => name)).toEqual([`g (${first})`, `g (${second})`, "h"]);
  expect(snapshot.drills).toEqual([
    { ...drill(first, 2, true), group: `g (${first})` },
    { ...drill(second, 1, false), group: `g (${second})` },
  ]);
  for (const metric of allMetrics) {
    const lines = metric.read(snapshot).map(({ labels }) => JSON.stringify(labels));
    expect([metric.name, new Set(lines).size]).toEqual([metric.name, lines.length]);
  }
});
