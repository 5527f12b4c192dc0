/** The source site as a process would be: a local appliance, and an interceptor for each volume. */
import type { WantedMode } from "#src/appliance/local/auto-mode.ts";
import type { GroupFigures } from "#src/appliance/local/group-figures.ts";
import type { PlacedMark } from "#src/appliance/local/group-marks.ts";
import { defaultGroupPolicy, type GroupPolicy } from "#src/appliance/local/group-policy.ts";
import { LocalAppliance } from "#src/appliance/local/local-appliance.ts";
import { LostSpoolError } from "#src/appliance/local/spool-place.ts";
import { fitSource } from "#src/control/source-fit.ts";
import { RetryError } from "#src/core/errors.ts";
import { blockBytes } from "#src/core/limits.ts";
import type { Counters } from "#src/host/counters.ts";
import { DeviceSource } from "#src/interceptor/device-source.ts";
import { type InterceptedVolume, openVolume } from "#src/interceptor/intercepted-volume.ts";
import type { NbdExport } from "#src/nbd/export.ts";
import { BandwidthGate } from "#src/wire/bandwidth-gate.ts";
import type { GroupLink, GroupLinkOwner } from "#src/wire/group-link.ts";
import { GroupLinkClient } from "#src/wire/group-link-client.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { linkPort, linkToken } from "./remote-site.ts";
import type { NotedSize } from "./resizes.ts";
import { cellBytes } from "./stamp.ts";
import type { GroupPlan, VolumePlan, Weather } from "./weather.ts";

const againMs = 1_000;
const stopGraceMs = 5_000;

const noCounters: Counters = {
  counter: () => ({ add: () => {} }),
  gauge: () => ({ raise: () => {}, lower: () => {} }),
  read: () => ({}),
};

export interface SourceSiteEvents {
  /** The volume's source is opened, for the first time or anew: the redo begins where it was known to be durable. */
  opening(volume: string): void;
  opened(volume: string, opened: NbdExport): void;
  /** What is noted of the volume's size. */
  size(plan: VolumePlan): NotedSize;
  /** The group's spool is lost, and another one is about to be begun. */
  spoolLost(group: string): void;
  /** The volume was removed. */
  isGone(volume: string): boolean;
  /** A volume could not be opened; it will be tried again. */
  failed(error: Error): void;
}

export interface SourceSite {
  setMode(group: string, mode: WantedMode): void;
  mark(group: string, withinMs: number): Promise<PlacedMark>;
  groups(): readonly GroupFigures[];
  /** Begins another spool, where the group does not work with the one that it has. */
  moveSpool(group: string): Promise<void>;
  /** Those that are open. */
  volumes(): ReadonlyMap<string, InterceptedVolume>;
  /** One that was ended, once more. */
  open(volume: string): void;
  /** It was removed. */
  forget(volume: string): Promise<void>;
  stop(): Promise<void>;
}

function policyOf(weather: Weather): GroupPolicy {
  const { linkLoss, spoolSegmentBytes, spoolLimitBytes, lagBytesMax, overflow, overflowAfterMs } = weather;
  return {
    ...defaultGroupPolicy,
    mode: { ...defaultGroupPolicy.mode, linkLoss, drainedBytes: 64 * 1024 },
    auto: weather.auto ?? defaultGroupPolicy.auto,
    spoolSegmentBytes,
    spoolLimitBytes,
    lagBytesMax,
    aggregate: { everyMs: weather.aggregateEveryMs, bytesMax: weather.aggregateBytesMax },
    overflow,
    overflowAfterMs,
    seqReserve: 1_000,
    spoolKeepBytes: weather.sealing?.spoolKeepBytes ?? defaultGroupPolicy.spoolKeepBytes,
  };
}

export async function startSourceSite(
  machine: SimHost,
  remoteName: string,
  weather: Weather,
  events: SourceSiteEvents,
  policy: Partial<GroupPolicy> = {},
): Promise<SourceSite> {
  const { clock, log } = machine;
  const appliance = await LocalAppliance.open({
    machine,
    folder: "/local",
    policy: { ...policyOf(weather), ...policy },
    newGroupMode: "async",
    connect: connectingTo(remoteName, machine, weather),
  });
  const volumes = new Map<string, InterceptedVolume>();
  for (const plan of weather.groups) await addGroup(appliance, plan, events);
  const open = async (group: string, plan: VolumePlan): Promise<void> => {
    const { name, held } = plan;
    if (events.isGone(name)) return;
    const definition = { id: idOf(name), name, group, source: `/${name}/source`, baseMissing: false };
    try {
      const fitted = await fitSource(machine, { ...definition, ...events.size(plan) });
      const volume = await openVolume({
        identity: fitted.volume,
        files: machine.files,
        folder: `/${name}`,
        wasEmpty: held.length === 0,
        openSource: async () => {
          events.opening(name);
          return new DeviceSource(machine.openBlockDevice(`/${name}/source`, { readOnly: false }), clock);
        },
        links: appliance,
        clock,
        log,
        counters: noCounters,
        options: { copyBytesPerSecond: weather.copyBytesPerSecond, whenFull: weather.whenFull },
      });
      volumes.set(name, volume);
      events.opened(name, volume);
    } catch (error) {
      events.failed(error as Error);
      clock.timer(againMs, () => void open(group, plan));
    }
  };
  const openNamed = (isNamed: (name: string) => boolean): void => {
    const all = weather.groups.flatMap((group) => group.volumes.map((volume) => ({ group, volume })));
    for (const { group, volume } of all) if (isNamed(volume.name)) void open(group.name, volume);
  };
  openNamed(() => true);
  return {
    open: (name) => openNamed((one) => one === name),
    forget: (name) => appliance.forgetVolume(idOf(name)),
    setMode: (group, mode) => appliance.setMode(group, mode),
    mark: (group, withinMs) =>
      appliance.mark(group, { name: "m", isQuiesced: false, deadlineMs: clock.hostMs() + withinMs }),
    moveSpool: (group) => appliance.moveSpool(group, undefined),
    groups: () => appliance.figures(),
    volumes: () => volumes,
    stop: async () => {
      for (const volume of volumes.values()) await volume.stop(stopGraceMs);
      await appliance.stop();
    },
  };
}

function connectingTo(remoteName: string, { sockets, clock, randomness, log }: SimHost, { bytesPerSecond }: Weather) {
  const gate = new BandwidthGate({ bytesPerSecond, hours: [] }, clock, () => 0);
  const address = { kind: "tcp", host: remoteName, port: linkPort } as const;
  const options = { sockets, clock, randomness, log, token: linkToken, address, mayCompress: true, gate };
  return (owner: GroupLinkOwner): GroupLink => {
    const client = new GroupLinkClient(options, owner);
    client.start();
    return client;
  };
}

export function sizeBytesOf({ blockCount, cutCells }: VolumePlan): number {
  return blockCount * blockBytes - cutCells * cellBytes;
}

/** Where its spool is lost, a person begins another. */
async function addGroup(appliance: LocalAppliance, plan: GroupPlan, events: SourceSiteEvents): Promise<void> {
  const { id, name, mode, isAuto } = plan;
  try {
    await appliance.addGroup({ id, name, mode: isAuto ? "auto" : mode });
  } catch (error) {
    // One that only lacks room is tried again by itself; here by the next start.
    if (!(error instanceof RetryError && error.cause instanceof LostSpoolError)) throw error;
    events.spoolLost(id);
    await appliance.moveSpool(name, undefined);
  }
}

/** Some identity that is the same at every start. */
function idOf(name: string): string {
  return Buffer.from(name.padEnd(16)).toString("hex");
}
