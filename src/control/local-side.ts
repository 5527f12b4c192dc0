/**
 * The thread of the local side: the local appliance, and the NBD server with the interceptors, or one of the two. Only what
 * runs is loaded: the other half would stay in memory for nothing.
 */
import { assert } from "#src/core/assert.ts";
import { lastShippingMs, traceLeaseMs } from "#src/core/limits.ts";
import type { Machine } from "#src/host/machine.ts";
import { countersOver } from "#src/host/node/counters.ts";
import { giveBackStartMemory } from "#src/host/node/start-memory.ts";
import type { MessageLine } from "#src/host/thread.ts";
import type { ForgetsVolumes, VolumeLinks } from "#src/wire/volume-link.ts";
import { VolumeLinkClient } from "#src/wire/volume-link-client.ts";
import { type GroupFarewell, noFarewell } from "./farewell.ts";
import { localSocket } from "./folder-layout.ts";
import type { InterceptorPart } from "./interceptor-part.ts";
import { Leases } from "./leases.ts";
import { LinksInWords } from "./links-in-words.ts";
import type { LocalPart } from "./local-part.ts";
import type { GroupFacts } from "./role.ts";
import { settled } from "./settling.ts";
import { noFacts, type SideActions, type SideFacts, type SideSettings, type StoreSideWord } from "./side.ts";
import { setLogLevel, sideMachine } from "./side-machine.ts";
import { serveSide } from "./side-server.ts";
import { tracedLives } from "./trace.ts";

export function runThread(line: MessageLine, settings: SideSettings): void {
  const side = new LocalSide(sideMachine(settings.config, "local"), settings);
  serveSide(line, Object.assign(side, withoutStore));
}

const absent = async (): Promise<never> => {
  assert(false, "the local side is asked for what the store has");
};

const withoutStore: Pick<SideActions, StoreSideWord> = {
  jobs: absent,
  addJob: absent,
  cancelJob: absent,
  retryStore: absent,
  storeKeys: absent,
  addStoreKey: absent,
  removeStoreKey: absent,
  snapshots: absent,
  makeSnapshot: absent,
  removeSnapshot: absent,
  inspectSnapshot: absent,
  views: absent,
  history: absent,
  density: absent,
  point: absent,
  difference: absent,
  addRestore: absent,
  openView: absent,
  reopenView: absent,
  renewView: absent,
  copyView: absent,
  closeView: absent,
  drills: absent,
  noteDrill: absent,
  noteRefusedDrill: absent,
};

class LocalSide implements Omit<SideActions, StoreSideWord> {
  readonly #machine: Machine;
  readonly #settings: SideSettings;
  /** Nobody is traced for longer than somebody looks. */
  readonly #traces: Leases;
  #local: LocalPart | undefined;
  #interceptor: InterceptorPart | undefined;
  #toLocal: (VolumeLinks & ForgetsVolumes) | undefined;

  constructor(machine: Machine, settings: SideSettings) {
    this.#machine = machine;
    this.#settings = settings;
    this.#traces = new Leases(machine.clock, traceLeaseMs);
  }

  start: SideActions["start"] = async () => {
    const { roles } = this.#settings;
    if (roles.includes("local")) await this.#startLocal();
    if (roles.includes("interceptor")) await this.#startInterceptor();
    giveBackStartMemory();
    return null;
  };

  async #startLocal(): Promise<void> {
    const { LocalPart } = await import("./local-part.ts");
    this.#local = await LocalPart.start(this.#machine, this.#settings);
  }

  async #startInterceptor(): Promise<void> {
    const { VolumeOpener } = await import("./volume-opener.ts");
    const { InterceptorPart } = await import("./interceptor-part.ts");
    const { config, counters } = this.#settings;
    this.#toLocal = this.#links();
    const opener = new VolumeOpener(this.#machine, this.#toLocal, countersOver(counters), config);
    this.#interceptor = await InterceptorPart.start(this.#machine, opener, this.#settings);
  }

  #links(): VolumeLinks & ForgetsVolumes {
    if (this.#local !== undefined) return this.#local.links;
    const { sockets, clock, randomness, log } = this.#machine;
    const { config, secrets } = this.#settings;
    const address = { kind: "unix", path: localSocket(config) } as const;
    const links = new VolumeLinkClient({ sockets, clock, randomness, log, token: secrets.wireToken, address });
    return new LinksInWords(links, address.path);
  }

  facts: SideActions["facts"] = async () => {
    const ownNbdAddress = this.#interceptor?.ownAddress;
    const facts: SideFacts = {
      ...noFacts,
      volumes: this.#interceptor?.volumes() ?? [],
      nbdAddresses: this.#interceptor?.addresses ?? [],
      ...(ownNbdAddress === undefined ? {} : { ownNbdAddress }),
      groups: this.#local?.groups() ?? [],
      marksOnTheWay: this.#local?.marksOnTheWay() ?? [],
      ...(this.#interceptor === undefined ? {} : { measures: { volumes: this.#interceptor.measures() } }),
    };
    return facts;
  };

  measure: SideActions["measure"] = ({ source, createBytes }) => this.#interceptorPart.measure(source, createBytes);

  unmake: SideActions["unmake"] = async ({ source }) => {
    await this.#interceptorPart.unmake(source);
    return null;
  };

  addVolume: SideActions["addVolume"] = async ({ volume, isNew, mode }) => {
    if (mode !== undefined) await this.#localPart.beginGroup(volume.group, mode);
    return this.#interceptorPart.addVolume(volume, isNew);
  };

  releaseVolume: SideActions["releaseVolume"] = ({ volume, sizeBytes }) =>
    this.#interceptorPart.releaseVolume(volume, sizeBytes);

  removeVolume: SideActions["removeVolume"] = ({ name, isForced }) =>
    this.#interceptorPart.removeVolume(name, isForced);

  forgetVolume: SideActions["forgetVolume"] = async ({ id }) => {
    assert(this.#toLocal !== undefined, "what is asked of interceptors is asked where they are");
    await this.#toLocal.forgetVolume(id);
    return null;
  };

  forgetLost: SideActions["forgetLost"] = async (lost) => {
    await this.#localPart.forgetLost(lost);
    return null;
  };

  unfence: SideActions["unfence"] = async ({ name }) => {
    await this.#interceptorPart.unfence(name);
    return null;
  };

  resync: SideActions["resync"] = async ({ name }) => {
    await this.#interceptorPart.resync(name);
    return null;
  };

  moveSpool: SideActions["moveSpool"] = async ({ group, folder }) => {
    await this.#localPart.moveSpool(group, folder);
    return null;
  };

  setMode: SideActions["setMode"] = async ({ group, mode }) => {
    this.#localPart.setMode(group, mode);
    return null;
  };

  setLevel: SideActions["setLevel"] = async ({ group, volume, seconds }) => {
    await this.#localPart.setLevel(group, volume, seconds);
    return null;
  };

  mark: SideActions["mark"] = ({ group, ...request }) => this.#localPart.mark(group, request);

  removeGroup: SideActions["removeGroup"] = async ({ group, isAbandoned }) => {
    await this.#localPart.removeGroup(group, isAbandoned);
    return null;
  };

  trace: SideActions["trace"] = async ({ volume }) => {
    const interceptor = this.#interceptorPart;
    const written = interceptor.trace(volume);
    this.#traces.renew(`volume ${volume}`, () => interceptor.endTrace(volume));
    return tracedLives(written, this.#shipped(volume), this.#machine.clock);
  };

  #shipped(volume: string) {
    const group = this.#interceptorPart.groupOf(volume);
    const local = this.#local;
    if (group === undefined || local === undefined) return [];
    this.#traces.renew(`group ${group}`, () => local.endTrace(group));
    return local.trace(group, volume);
  }

  reconfigure: SideActions["reconfigure"] = async ({ config }) => {
    setLogLevel(config.log.level);
    this.#local?.reconfigure(config);
    return null;
  };

  stop: SideActions["stop"] = async () => {
    this.#traces.close();
    const volumes = (await this.#interceptor?.stop()) ?? [];
    const isShipped = (): boolean =>
      this.#local?.groups().every(({ linkUp, received, lastSeq }) => !linkUp || received >= lastSeq) ?? true;
    await settled(isShipped, this.#machine.clock, lastShippingMs);
    const groups = this.#local?.groups() ?? [];
    await this.#local?.stop();
    return { ...noFarewell, volumes, groups: groups.map(farewellOf) };
  };

  get #interceptorPart(): InterceptorPart {
    assert(this.#interceptor !== undefined, "what is asked of interceptors is asked where they are");
    return this.#interceptor;
  }

  get #localPart(): LocalPart {
    assert(this.#local !== undefined, "what is asked of the local appliance is asked where it is");
    return this.#local;
  }
}

function farewellOf({ id, name, lastSeq, received, durable, lagBytes }: GroupFacts): GroupFarewell {
  return { id, name, lastSeq, received, durable, lagBytes };
}
