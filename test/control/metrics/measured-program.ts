/** A snapshot as of a program with all roles, in which every metric has something to say. */

import type { MeasuredVolume, MetricsSnapshot } from "#src/control/metrics/metrics-snapshot.ts";
import type { RemoteGroupFacts, StoreFacts } from "#src/control/role.ts";
import { DurationCounts, requestBoundsSeconds, workBoundsSeconds } from "#src/core/duration-counts.ts";
import { group, volumeFacts } from "../http/scripted-side.ts";

const durations = new DurationCounts(requestBoundsSeconds);
durations.note(0.04, 3);
durations.note(70_000);
const syntheses = new DurationCounts(workBoundsSeconds);
syntheses.note(40);

export const measuredVolume: MeasuredVolume = {
  ...volumeFacts("v"),
  ...{ writes: 4, writeBytes: 16_384, reads: 2, readBytes: 8192, connections: 1, markedBytes: 4096 },
  hostWaitSeconds: 3,
  copy: { kind: "resync", regionsTotal: 2, regionsDone: 1, bytesTotal: 8192, bytesDone: 4096, bytesPerSecond: 1 },
  measures: {
    ...{ name: "v", edgeBytes: 512, copyBytes: 4096, failedReads: 1, failedWrites: 2, failedFlushes: 3 },
    ...{ writeDurations: durations.figures, flushDurations: durations.figures },
  },
};

export const measuredRemoteGroup: RemoteGroupFacts = {
  ...{ id: group.id, name: "g", epoch: 1, state: "open", received: 9, durable: 9, stored: 9, timeMicros: 5_000_000 },
  ...{ journalBytes: 65_536, segmentCount: 1, unsealedBytes: 4096, volumes: [], aggregateCount: 0 },
  ...{ aggregateFoldedBytes: 0, checksumErrors: 3, journalErrors: 1, landedRecords: 9, landedBytes: 40_960 },
};

export const measuredStore: StoreFacts = {
  segmentCount: 1,
  sealed: { segmentCount: 1, logicalBytes: 36_864, uniqueBytes: 4096, physicalBytes: 20_480, damagedBlocks: 1 },
  jobTroubles: [],
  state: {
    sizes: { segmentCount: 1, logicalBytes: 36_864, uniqueBytes: 4096, physicalBytes: 20_480, damagedBlocks: 0 },
    sizesMs: 1000,
    windows: [
      {
        ...{ group: group.id, fromSeq: 0, oldestMicros: 2_000_000 },
        forecast: { spanSeconds: 3600, roomSeconds: 7200, isShort: true, isAtLeast: true, costs: [] },
      },
      // Of one that nobody knows here any more.
      { group: "f".repeat(32), fromSeq: 0, oldestMicros: 1 },
    ],
    scrub: { lastEndedMs: 7000, isUnderWay: false, findings: 0, damagedBlocks: 0 },
    synthesis: {
      ...{ made: 1, failed: 0, seconds: 0.04, lastSeconds: 0.04 },
      ...{ pointersToJournal: 8, pointersToSnapshots: 2, writtenBytes: 4096 },
    },
    collection: { lastMs: 8000, freedBytes: 4096, isUnderWay: false },
    counts: {
      ...{ fingerprints: 8, freeBytes: 1_000_000, scrubCheckedBytes: 65_536, scrubRepairs: 1, scrubFlaws: 2 },
      ...{ collectFreedBytes: 4096, collectWrittenBytes: 16_384, syntheses: syntheses.figures },
    },
  },
};

export const measuredProgram: MetricsSnapshot = {
  ...{ version: "1.2.3", runtime: "v26.0.0", isReady: true, problemCount: 0 },
  roles: [
    { role: "interceptor", isUp: true },
    { role: "local", isUp: true },
    { role: "remote", isUp: true },
  ],
  volumes: [measuredVolume],
  copiedBytes: 4096,
  groups: [
    {
      ...group,
      ...{ lagRecords: 2, lagBytes: 8192, lagSeconds: 1.5, durableMicros: 3_500_000, wireFrames: 4 },
      modeSwitches: [{ from: "async", to: "sync", why: "asked", count: 2 }],
    },
  ],
  remoteGroups: [measuredRemoteGroup],
  store: measuredStore,
  drills: [{ volume: "v", group: "g", groupId: group.id, number: 1, isProven: false, endedMs: 9000 }],
  jobs: [{ kind: "collect", isGood: true, endedMs: 8000 }],
  certificates: [{ use: "http", endsMs: 10_000 }],
  terms: { keepSeconds: 14_400, scrubSeconds: 86_400 },
};
