/** The local appliance with its link to the remote one and its door for interceptors, as the configuration wants them. */
import type { MarkRequest, PlacedMark } from "#src/appliance/local/group-marks.ts";
import { defaultGroupPolicy, type GroupPolicy } from "#src/appliance/local/group-policy.ts";
import { LocalAppliance } from "#src/appliance/local/local-appliance.ts";
import type { MarkOnTheWay } from "#src/appliance/local/spool-facts.ts";
import type { TracedRecord } from "#src/appliance/local/trace-log.ts";
import type { LostVolume } from "#src/appliance/local/volume-removal.ts";
import { assert } from "#src/core/assert.ts";
import { RefuseError } from "#src/core/errors.ts";
import { minuteOfDay } from "#src/host/local-time.ts";
import type { Machine } from "#src/host/machine.ts";
import { faultHook } from "#src/host/node/faults.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import type { BandwidthPolicy } from "#src/wire/bandwidth.ts";
import { BandwidthGate } from "#src/wire/bandwidth-gate.ts";
import { GroupLinkClient, type GroupLinkOptions } from "#src/wire/group-link-client.ts";
import type { ForgetsVolumes, VolumeLinks } from "#src/wire/volume-link.ts";
import { VolumeLinkServer } from "#src/wire/volume-link-server.ts";
import type { Config } from "./config-schema.ts";
import { localSocket, privateWireSocket, roleFolder } from "./folder-layout.ts";
import { listenInWords, parseAddress } from "./listening-address.ts";
import type { GroupFacts, WantedMode } from "./role.ts";
import type { SideSettings } from "./side.ts";

/** What may be changed while it runs. */
interface LiveParts {
  readonly policy: GroupPolicy;
  readonly gate: BandwidthGate;
}

export class LocalPart {
  readonly #machine: Machine;
  readonly #appliance: LocalAppliance;
  readonly #door: VolumeLinkServer | undefined;
  readonly #live: LiveParts;

  private constructor(
    machine: Machine,
    appliance: LocalAppliance,
    door: VolumeLinkServer | undefined,
    live: LiveParts,
  ) {
    this.#machine = machine;
    this.#appliance = appliance;
    this.#door = door;
    this.#live = live;
  }

  static async start(machine: Machine, settings: SideSettings): Promise<LocalPart> {
    const { config, roles, secrets } = settings;
    const { sockets, clock, randomness, log } = machine;
    const live = { policy: policyOf(config), gate: new BandwidthGate(bandwidthOf(config), clock, minuteOfDay) };
    const options = { ...linkOptions(machine, settings), gate: live.gate };
    const appliance = await LocalAppliance.open({
      machine,
      folder: roleFolder(config, "local"),
      policy: live.policy,
      newGroupMode: config.modes.default,
      hook: faultHook(config.faults),
      connect: (owner) => {
        const link = new GroupLinkClient(options, owner);
        link.start();
        return link;
      },
    });
    // Interceptors of the same thread call it directly.
    if (roles.includes("interceptor")) return new LocalPart(machine, appliance, undefined, live);
    const door = new VolumeLinkServer({ sockets, clock, randomness, log, token: secrets.wireToken }, appliance);
    const address = { kind: "unix", path: localSocket(config) } as const;
    await listenInWords(address, { forWhom: "interceptors", settings: "local.socket" }, (where) => door.listen(where));
    return new LocalPart(machine, appliance, door, live);
  }

  get links(): VolumeLinks & ForgetsVolumes {
    return this.#appliance;
  }

  /** One that is there already must be in that mode, or be switched to it first. */
  async beginGroup(name: string, mode: WantedMode): Promise<void> {
    const group = this.groups().find((one) => one.name === name);
    if (group !== undefined && group.wantedMode !== mode) {
      throw new RefuseError(
        `group '${name}' is there already, in ${group.wantedMode}: 'tidemark mode ${name} ${mode}' switches it`,
      );
    }
    const id = this.#machine.randomness.bytes(16).toString("hex");
    await this.#appliance.addGroup({ id, name, mode });
  }

  async moveSpool(name: string, folder: string | undefined): Promise<void> {
    await this.#appliance.moveSpool(name, folder);
  }

  async forgetLost(lost: LostVolume): Promise<void> {
    await this.#appliance.forgetLost(lost);
  }

  async removeGroup(name: string, isAbandoned: boolean): Promise<void> {
    await this.#appliance.removeGroup(name, isAbandoned);
  }

  setMode(groupName: string, mode: WantedMode): void {
    this.#appliance.setMode(groupName, mode);
  }

  async setLevel(groupName: string, volumeName: string, seconds: number): Promise<void> {
    await this.#appliance.setLevel(groupName, volumeName, seconds);
  }

  mark(groupName: string, request: MarkRequest): Promise<PlacedMark> {
    return this.#appliance.mark(groupName, request);
  }

  groups(): readonly GroupFacts[] {
    return this.#appliance.figures();
  }

  marksOnTheWay(): readonly MarkOnTheWay[] {
    return this.#appliance.marksOnTheWay();
  }

  trace(groupName: string, volumeName: string): readonly Readonly<TracedRecord>[] {
    return this.#appliance.trace(groupName, volumeName);
  }

  endTrace(groupName: string): void {
    this.#appliance.endTrace(groupName);
  }

  /** All groups share policy and gate, and look at them whenever they decide. */
  reconfigure(config: Config): void {
    const { policy, gate } = this.#live;
    const next = policyOf(config);
    Object.assign(policy.mode, next.mode);
    Object.assign(policy.auto, next.auto);
    // How much an aggregate holds is settled with the link, how long it is gathered is not.
    Object.assign(policy.aggregate, { everyMs: next.aggregate.everyMs });
    gate.setPolicy(bandwidthOf(config));
  }

  async stop(): Promise<void> {
    await this.#door?.close();
    await this.#appliance.stop();
  }
}

function linkOptions(machine: Machine, { config, roles, secrets }: SideSettings): GroupLinkOptions {
  const { sockets, clock, randomness, log } = machine;
  const common = { sockets, clock, randomness, log, token: secrets.wireToken };
  if (roles.includes("remote")) return { ...common, address: { kind: "unix", path: privateWireSocket(config) } };
  const address = remoteAddress(config);
  // Within a machine nothing is slower than compressing.
  const mayCompress = config.remote.compress === "auto" && address.kind === "tcp";
  if (secrets.wireTls === undefined) return { ...common, address, mayCompress };
  const { serverName } = config.remote;
  const tls = { ...secrets.wireTls, ...(serverName === undefined ? {} : { serverName }) };
  return { ...common, address, mayCompress, tls };
}

function bandwidthOf({ remote }: Config): BandwidthPolicy {
  return { bytesPerSecond: remote.bandwidth, hours: remote.bandwidthHours };
}

function remoteAddress({ remote }: Config): SocketAddress {
  assert(remote.address !== undefined, "it was checked that the local appliance is told where the remote one is");
  return parseAddress(remote.address, "remote.address");
}

function policyOf({ local, modes }: Config): GroupPolicy {
  return {
    ...defaultGroupPolicy,
    mode: {
      ...defaultGroupPolicy.mode,
      linkLoss: modes.linkLoss,
      degradeAfterMs: modes.degradeAfterSeconds * 1000,
    },
    aggregate: { everyMs: modes.aggregateSeconds * 1000, bytesMax: modes.aggregateBytes },
    auto: {
      ...defaultGroupPolicy.auto,
      answerMsMax: modes.auto.answerSeconds * 1000,
      lagSecondsMax: modes.auto.lagSeconds,
      bytesPerSecondMax: modes.auto.bytesPerSecond,
    },
    spoolSegmentBytes: local.spool.segment,
    spoolLimitBytes: local.spool.limit,
    spoolKeepBytes: local.spool.keep,
    lagBytesMax: Math.min(modes.lagBytes, local.spool.limit),
    lagMsMax: modes.lagSeconds * 1000,
    overflow: modes.overflow,
    overflowAfterMs: modes.overflowAfterSeconds * 1000,
  };
}
