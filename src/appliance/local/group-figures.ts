/** What a group tells of itself, as plain data for whoever watches. */
import { batchBytesMax } from "#src/core/limits.ts";
import { everyWriteLevel } from "#src/records/level-record.ts";
import type { Watermarks } from "#src/wire/group-link.ts";
import type { WantedMode } from "./auto-mode.ts";
import type { GroupMode } from "./group-mode.ts";
import type { GroupPolicy } from "./group-policy.ts";
import type { ShippingFigures } from "./group-shipping.ts";
import type { GroupState } from "./group-state.ts";
import type { Lag } from "./lag.ts";
import type { Mode, PlacedSwitch } from "./mode-machine.ts";
import type { ModeSwitchCount } from "./mode-switch-counts.ts";
import type { Order } from "./order.ts";
import type { RemoteKnowledge } from "./remote-knowledge.ts";
import type { Spool } from "./spool.ts";

export type GroupCondition = "steady" | "draining" | "stalled" | "suspended" | "tracking" | "stopped";

export interface GroupFigures extends Watermarks, ShippingFigures {
  readonly id: string;
  readonly name: string;
  /** The mode that writes are acknowledged under now. `sync` is said only once all before it is durable at the remote. */
  readonly mode: Mode;
  readonly wantedMode: WantedMode;
  readonly state: GroupCondition;
  readonly why?: string;
  /** Why the remote does not let it in. */
  readonly refusal?: string;
  readonly suspendedSinceSeq?: number;
  /** Of all that were ever attached to it, and were not removed since then. */
  readonly volumeNames: readonly string[];
  /** Those of them that no interceptor has at this moment; absent: there are none, or the group is stopped. */
  readonly missingVolumes?: readonly string[];
  /** Of volumes that are not at every write: the seconds between their points. */
  readonly levels?: readonly { readonly volume: string; readonly seconds: number }[];
  readonly epoch: number;
  readonly lastSeq: number;
  readonly spoolDurableSeq: number;
  readonly spoolBytes: number;
  readonly spoolLimitBytes: number;
  /** 0 to 1: how hard writers are slowed. */
  readonly pressure: number;
  readonly linkUp: boolean;
  readonly linkWhy?: string;
  readonly lagRecords: number;
  readonly lagBytes: number;
  readonly lagSeconds: number;
  /** All that was written before that moment is durable at the remote. Absent: it is not known of any moment. */
  readonly durableMicros?: number;
  /** Since the start. */
  readonly modeSwitches?: readonly ModeSwitchCount[];
  /** The last ones of those, the newest last. One to sync is here when it has its record: it holds when `mode` says so. */
  readonly lastSwitches?: readonly PlacedSwitch[];
}

export interface FigureParts {
  readonly state: GroupState;
  /** Whether an interceptor has the volume with this number. */
  readonly hasVolume: (number: number) => boolean;
  readonly spool: Spool;
  readonly policy: GroupPolicy;
  readonly order: Order;
  readonly mode: GroupMode;
  readonly remote: RemoteKnowledge;
  readonly lag: Lag;
  readonly pressure: number;
  readonly isLinkUp: boolean;
  readonly shipped: ShippingFigures;
  readonly failure: Error | undefined;
  /** Why volumes go on without it. */
  readonly overflow: Error | undefined;
  readonly suspendedSinceSeq: number | undefined;
}

export function groupFigures(parts: FigureParts): GroupFigures {
  const { state, spool, policy, order, mode, remote, lag } = parts;
  const [condition, why] = conditionOf(parts);
  return {
    id: state.id,
    name: state.name,
    mode: mode.stated,
    wantedMode: mode.wanted,
    state: condition,
    ...(why === undefined ? {} : { why }),
    ...(remote.refusal === undefined ? {} : { refusal: remote.refusal }),
    ...(parts.suspendedSinceSeq === undefined ? {} : { suspendedSinceSeq: parts.suspendedSinceSeq }),
    ...namedVolumes(state, parts.hasVolume),
    epoch: order.epoch,
    lastSeq: order.lastSeq,
    spoolDurableSeq: spool.durableSeq,
    spoolBytes: spool.usedBytes,
    spoolLimitBytes: policy.spoolLimitBytes,
    pressure: Math.min(1, parts.pressure),
    linkUp: parts.isLinkUp,
    ...parts.shipped,
    ...(remote.why === undefined ? {} : { linkWhy: remote.why }),
    ...remote.marks,
    lagRecords: lag.records,
    lagBytes: lag.bytes,
    lagSeconds: lag.seconds,
    ...durableTo(parts),
    modeSwitches: mode.switches.all,
    lastSwitches: mode.lastSwitches,
  };
}

/** One that was removed and added again is another one of the same name, behind it: the newest counts. */
export function namedVolumes(
  { volumes }: Pick<GroupState, "volumes">,
  hasVolume = (_number: number) => true,
): Pick<GroupFigures, "volumeNames" | "missingVolumes" | "levels"> {
  const newest = new Map(volumes.filter(({ isGone }) => isGone !== true).map((volume) => [volume.name, volume]));
  const levels = [...newest.values()].flatMap(({ name, level = everyWriteLevel }) =>
    level === everyWriteLevel ? [] : [{ volume: name, seconds: level }],
  );
  const missing = [...newest.values()].filter(({ number }) => !hasVolume(number)).map(({ name }) => name);
  return {
    volumeNames: [...newest.keys()],
    ...(missing.length === 0 ? {} : { missingVolumes: missing }),
    ...(levels.length === 0 ? {} : { levels }),
  };
}

/** What the spool has let go of is durable there, also before the remote has said so in this life. */
function durableTo({ spool, remote }: FigureParts): Pick<GroupFigures, "durableMicros"> {
  const durableMicros = spool.timeAfter(remote.marks.durable) ?? spool.lastTimeMicros;
  return durableMicros === 0 ? {} : { durableMicros };
}

function stuckText(spool: Spool): string {
  const what = spool.isFull(batchBytesMax) ? "the spool is full (local.spool.limit)" : "the spool's disk is full";
  return `${what}: writes wait until there is room`;
}

function conditionOf(parts: FigureParts): [GroupCondition, string?] {
  const { failure, overflow, mode, order } = parts;
  const { refusal, why } = parts.remote;
  if (failure !== undefined) return ["stopped", failure.message];
  if (overflow !== undefined) return ["tracking", overflow.message];
  if (order.isStuck) return ["stalled", stuckText(parts.spool)];
  if (parts.pressure >= 1) return ["stalled", "a limit of the lag or the spool is reached: writes wait for the remote"];
  if (mode.phase === "degraded") {
    return ["suspended", `sync is suspended: ${refusal ?? why ?? "the link has just come back"}`];
  }
  if (mode.waitsForRemote && !parts.isLinkUp) {
    return ["stalled", `sync waits for the remote: ${refusal ?? why ?? "the link is down"}`];
  }
  if (mode.phase === "draining" || mode.phase === "entering") return ["draining"];
  if (refusal !== undefined) return ["steady", `the remote refuses this group: ${refusal}`];
  return ["steady"];
}
