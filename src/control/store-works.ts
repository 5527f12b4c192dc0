/** The long works, each over the open store: what was asked for in one word, carried out by those who know how. */
import { assert, assertNever } from "#src/core/assert.ts";
import type { Machine } from "#src/host/machine.ts";
import type { StoreScrub } from "#src/journals/store-scrub.ts";
import { verifyStore } from "#src/journals/store-verification.ts";
import { readVolumeNames } from "#src/journals/volume-names.ts";
import type { Collection } from "#src/store/collection.ts";
import type { EarnedReserve } from "#src/store/earned-reserve.ts";
import type { FingerprintIndex } from "#src/store/fingerprint-index.ts";
import type { Objects } from "#src/store/objects.ts";
import { findingLine, isRemnant } from "#src/store/scrub-finding.ts";
import type { SegmentStore } from "#src/store/segment-store.ts";
import type { StoreTotals } from "#src/store/store-totals.ts";
import type { WorkControl } from "#src/store/work-control.ts";
import { StoredSnapshotBlocks } from "#src/synth/stored-snapshot-blocks.ts";
import { collect, planCollection } from "./collect-work.ts";
import type { Config } from "./config-schema.ts";
import type { KeptHistories } from "./kept-histories.ts";
import type { WorkKind, WorkRequest, WorkResult } from "./store-work.ts";

export interface OpenStore {
  readonly machine: Machine;
  readonly config: Config;
  readonly objects: Objects;
  readonly key: Buffer | undefined;
  readonly index: FingerprintIndex;
  readonly store: SegmentStore;
  readonly totals: StoreTotals;
  readonly reserve: EarnedReserve;
  readonly histories: KeptHistories;
  readonly collection: Collection;
  readonly scrub: StoreScrub;
}

/** What a work of this kind may read and write in a second. */
export function workRate({ store }: Config, kind: WorkKind): number {
  if (kind === "collect") return store.collect.bytesPerSecond;
  return kind === "scrub" ? store.scrub.bytesPerSecond : Number.POSITIVE_INFINITY;
}

/** How often which work is begun by itself. */
export function workPeriods({ store }: Config): Readonly<Partial<Record<WorkKind, number>>> {
  // Where everything is kept, nothing can be freed but what nobody ever pointed to, or was removed by hand.
  return { collect: store.collect.everySeconds * 1000, scrub: store.scrub.everySeconds * 1000 };
}

export function workOn(open: OpenStore, request: WorkRequest, control: WorkControl): Promise<WorkResult> {
  switch (request.kind) {
    case "index":
      return rebuildIndex(open, control);
    case "collect":
      return request.isDry ? planCollection(open, control) : collect(open, control);
    case "verify":
      return verify(open, control);
    case "scrub":
      return scrub(open, request, control);
    case "restore":
      return assert(false, "restores are for processes of their own") as never;
    default:
      return assertNever(request.kind);
  }
}

async function rebuildIndex({ index, store }: OpenStore, control: WorkControl): Promise<WorkResult> {
  await index.beginAnew("it is rebuilt because somebody asked for it");
  const { segmentCount, fingerprintCount, unreadable } = await store.catchUp(control);
  return {
    isSound: unreadable.length === 0,
    figures: { segments: segmentCount, fingerprints: fingerprintCount, unreadableSegments: unreadable.length },
    lines: unreadable.map(({ segment }) => `the directory of segment ${segment} cannot be read`),
  };
}

async function verify({ objects, key, store }: OpenStore, control: WorkControl): Promise<WorkResult> {
  const snapshots = new StoredSnapshotBlocks({ objects, key });
  const parts = { objects, key, segments: store.segments, snapshots };
  const { figures, findings } = await verifyStore(parts, control);
  return { isSound: findings.length === 0, figures, lines: findings };
}

/** Up to the end of the round that is under way, or of a new one. */
async function scrub(
  open: OpenStore,
  { isAnew = false, askedMicros }: WorkRequest,
  control: WorkControl,
): Promise<WorkResult> {
  const state = await open.scrub.run(control, { isAnew, askedMicros });
  const { last, findings, unlistedCount, damagedBlocks, repairs } = state;
  const names = findings.length === 0 ? undefined : await readVolumeNames(open.objects);
  return {
    isSound: findings.every(isRemnant) && unlistedCount === 0,
    figures: {
      round: last?.number ?? 0,
      objects: last?.objectCount ?? 0,
      checkedBytes: last?.checkedBytes ?? 0,
      repaired: last?.repairedCount ?? 0,
      damagedBlocks,
      findings: findings.length + unlistedCount,
    },
    lines: [...repairs, ...findings.map((finding) => findingLine(finding, names))],
    findings,
  };
}
