/** The thread of the remote side. */
import { assert } from "#src/core/assert.ts";
import { giveBackStartMemory } from "#src/host/node/start-memory.ts";
import type { MessageLine } from "#src/host/thread.ts";
import { pointReport } from "./density.ts";
import { drillReport } from "./drill.ts";
import { noFarewell } from "./farewell.ts";
import { RemotePart } from "./remote-part.ts";
import { noFacts, type SideActions, type SideSettings, type StoreSideWord } from "./side.ts";
import { SideCaller } from "./side-caller.ts";
import { setLogLevel, sideMachine } from "./side-machine.ts";
import { serveSide } from "./side-server.ts";

const absent = async (): Promise<never> => {
  assert(false, "the remote side is asked for what it has");
};

const withoutVolumes = {
  measure: absent,
  unmake: absent,
  addVolume: absent,
  releaseVolume: absent,
  removeVolume: absent,
  forgetVolume: absent,
  forgetLost: absent,
  unfence: absent,
  resync: absent,
  moveSpool: absent,
  setMode: absent,
  setLevel: absent,
  mark: absent,
  removeGroup: absent,
  trace: absent,
};

export function runThread(line: MessageLine, settings: SideSettings): void {
  let part: RemotePart | undefined;
  const caller = new SideCaller(line);
  const started = (): RemotePart => {
    assert(part !== undefined, "what is asked of the remote appliance is asked when it has started");
    return part;
  };
  const actions: SideActions = {
    start: async () => {
      part = await RemotePart.start(sideMachine(settings.config, "remote"), settings, (ask) => caller.ask(ask));
      giveBackStartMemory();
      return null;
    },
    facts: async () =>
      part === undefined
        ? noFacts
        : {
            ...noFacts,
            remoteGroups: part.groups(),
            store: part.store,
            wireAddress: part.address,
            measures: part.measures,
          },
    reconfigure: async ({ config }) => {
      setLogLevel(config.log.level);
      await part?.reconfigure(config);
      return null;
    },
    stop: async () => {
      await part?.stop();
      const groups = part?.groups() ?? [];
      return { ...noFarewell, remoteGroups: groups.map(({ id, received, durable }) => ({ id, received, durable })) };
    },
    ...withoutVolumes,
    ...storeActions(started),
  };
  serveSide(line, actions, caller);
}

function storeActions(started: () => RemotePart): Pick<SideActions, StoreSideWord> {
  return {
    jobs: async () => started().jobs.reports(),
    addJob: (request) => started().jobs.add(request),
    cancelJob: ({ id }) => started().jobs.cancel(id),
    retryStore: async (ask) => {
      started().retryStore(ask);
      return null;
    },
    storeKeys: () => started().keys(),
    addStoreKey: ({ keyFile }) => started().addKey(keyFile),
    snapshots: ({ volume }) => started().snapshots(volume),
    makeSnapshot: (wish) => started().makeSnapshot(wish),
    removeSnapshot: ({ volume, seq }) => started().removeSnapshot(volume, seq),
    inspectSnapshot: ({ volume, seq }) => started().inspectSnapshot(volume, seq),
    views: () => started().views.all(),
    history: (wish) => started().views.points.history(wish),
    density: (wish) => started().views.points.density(wish),
    point: async ({ volume, point, isNearest }) =>
      pointReport(volume, await started().views.resolve(volume, point, isNearest)),
    difference: (wish) => started().views.points.difference(wish),
    addRestore: (wish) => started().restore(wish),
    openView: (request) => started().views.open(request),
    copyView: (wish) => started().copies.copy(wish),
    reopenView: ({ name }) => started().copies.reopen(name),
    renewView: async ({ name }) => {
      started().views.renew(name);
      return null;
    },
    drills: () => started().listDrills(),
    // Its view is open still.
    noteDrill: async (note) => drillReport(await started().views.note(note, "operator"), true),
    noteRefusedDrill: async (refused) => drillReport(await started().views.points.noteRefused(refused), undefined),
    closeView: async ({ name, how }) => {
      await started().copies.close(name, how);
      return null;
    },
    removeStoreKey: async ({ copyId }) => {
      await started().removeKey(copyId);
      return null;
    },
  };
}
