/** The control plane over a side that a test plays. */
import { apiOver } from "#src/control/api/api.ts";
import { Door } from "#src/control/api/door.ts";
import { routesOf } from "#src/control/api/routes.ts";
import { Catalogue } from "#src/control/catalogue.ts";
import { ControlPlane } from "#src/control/control-plane.ts";
import { noFarewell } from "#src/control/farewell.ts";
import { type GroupFacts, noFigures, type VolumeFacts } from "#src/control/role.ts";
import { noFacts, type SideActions, type SideWord } from "#src/control/side.ts";
import { SideClient } from "#src/control/side-client.ts";
import { serveSide } from "#src/control/side-server.ts";
import { VolumeKeeper } from "#src/control/volume-keeper.ts";
import { resized, unresized } from "#src/control/volume-resize.ts";
import { countersOver, shareCounters } from "#src/host/node/counters.ts";
import type { MessageLine } from "#src/host/thread.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";

export const group: GroupFacts = {
  id: "0".repeat(32),
  name: "g",
  mode: "async",
  wantedMode: "async",
  state: "steady",
  epoch: 1,
  lastSeq: 9,
  spoolDurableSeq: 9,
  spoolBytes: 0,
  spoolLimitBytes: 1,
  pressure: 0,
  linkUp: true,
  shippedBytes: 0,
  wireBytes: 0,
  aggregates: 0,
  foldedBytes: 0,
  received: 9,
  durable: 9,
  stored: 9,
  lagRecords: 0,
  lagBytes: 0,
  lagSeconds: 0,
};

export function volumeFacts(name: string): VolumeFacts {
  return { name, group: "g", source: "/s", sizeBytes: 4096, baseMissing: false, state: "open", ...noFigures };
}

/** Both ends of a line of messages in one thread. */
export function memoryLine(host: SimHost): readonly [MessageLine, MessageLine] {
  const listeners: ((message: unknown) => void)[] = [];
  const end = (own: number): MessageLine => ({
    send: (message) => {
      const copy = structuredClone(message);
      host.clock.soon(() => listeners[1 - own]?.(copy));
    },
    receive: (listener) => {
      listeners[own] = listener;
    },
  });
  return [end(0), end(1)];
}

export class ScriptedSide {
  readonly host: SimHost;
  readonly simulation: Simulation;
  readonly asked: unknown[] = [];
  readonly volumes = new Map<string, VolumeFacts>();
  readonly client: SideClient;
  readonly keeper: VolumeKeeper;
  readonly control: ControlPlane;
  /** Until then a word is not answered. */
  readonly held = new Map<SideWord, Promise<unknown>>();
  readonly refusals = new Map<SideWord, Error>();
  /** Of the sources that are measured. */
  hasContent = false;
  /** Why a volume that is resized keeps its size. */
  resizeRefusal: string | undefined;

  constructor() {
    this.simulation = new Simulation(1);
    this.host = this.simulation.host("a");
    const [ours, theirs] = memoryLine(this.host);
    serveSide(theirs, this.#actions());
    this.client = new SideClient("local", ours, this.host.clock);
    this.keeper = new VolumeKeeper({
      catalogue: Catalogue.open(this.host.files, "/volumes.json"),
      side: this.client,
      randomness: this.host.randomness,
      clock: this.host.clock,
      log: this.host.log,
    });
    this.control = new ControlPlane({
      version: "1.2.3",
      roles: ["interceptor", "local", "remote"],
      sides: [this.client],
      keeper: this.keeper,
      nbdWithTls: false,
      counters: countersOver(shareCounters(["writes_total"], [])),
    });
  }

  handler(token?: string) {
    return apiOver({ routes: routesOf(this.control), door: new Door(token), log: this.host.log });
  }

  #actions(): SideActions {
    const acted = async <Answer>(word: SideWord, ask: unknown, answer: () => Answer): Promise<Answer> => {
      this.asked.push({ [word]: ask });
      await this.held.get(word);
      const refusal = this.refusals.get(word);
      if (refusal !== undefined) throw refusal;
      return answer();
    };
    return {
      start: (ask) => acted("start", ask, () => null),
      stop: (ask) => acted("stop", ask, () => noFarewell),
      facts: async () => {
        await this.held.get("facts");
        const nbdAddresses = [{ kind: "unix", path: "/n" } as const];
        return { ...noFacts, volumes: [...this.volumes.values()], groups: [group], nbdAddresses };
      },
      measure: (ask) => acted("measure", ask, () => ({ sizeBytes: 8192, hasContent: this.hasContent })),
      unmake: (ask) => acted("unmake", ask, () => null),
      addVolume: (ask) =>
        acted("addVolume", ask, () => {
          const added = (this.resizeRefusal === undefined ? resized : unresized)(ask.volume);
          const { name, group, sizeBytes } = added;
          this.volumes.set(name, { ...volumeFacts(name), group, sizeBytes });
          return { volume: added, ...(this.resizeRefusal === undefined ? {} : { refusal: this.resizeRefusal }) };
        }),
      releaseVolume: (ask) =>
        acted("releaseVolume", ask, () => {
          this.volumes.delete(ask.volume.name);
          return null;
        }),
      removeVolume: (ask) =>
        acted("removeVolume", ask, () => {
          this.volumes.delete(ask.name);
          return null;
        }),
      unfence: (ask) => acted("unfence", ask, () => null),
      resync: (ask) => acted("resync", ask, () => null),
      moveSpool: (ask) => acted("moveSpool", ask, () => null),
      setMode: (ask) => acted("setMode", ask, () => null),
      mark: (ask) =>
        acted("mark", ask, () => ({ name: ask.name, isQuiesced: ask.isQuiesced, epoch: 1, seq: 7, timeMicros: 0 })),
      removeGroup: (ask) => acted("removeGroup", ask, () => null),
      trace: (ask) => acted("trace", ask, () => []),
    };
  }
}
