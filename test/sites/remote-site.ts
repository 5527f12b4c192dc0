/**
 * The remote site as its processes would be: a remote appliance, the door through which local appliances come, and the store
 * that it seals into.
 */
import { openRemoteAppliance } from "#src/appliance/remote/remote-appliance.ts";
import type { RemoteGroupStatus } from "#src/appliance/remote/remote-group-status.ts";
import type { Config } from "#src/control/config-schema.ts";
import { JobRunner } from "#src/control/job-runner.ts";
import { NamesDoubt } from "#src/control/names-doubt.ts";
import { StoreBinding } from "#src/control/store-binding.ts";
import { StoreClient } from "#src/control/store-client.ts";
import { sentKey } from "#src/control/store-words.ts";
import type { SealedHistory } from "#src/journals/journal-reader.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import type { WrappingKey } from "#src/store/wrapping-key.ts";
import { GroupLinkServer } from "#src/wire/group-link-server.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { indexFolder, StoreProcess, type StoreProcessEnd, storeFolder } from "./store-process.ts";
import type { Sealing } from "./store-weather.ts";

export const linkPort = 7879;
export const linkToken = "both sites know it";
export const remoteFolder = "/remote";

/** Small, so that a short story has several. */
const pieceBytes = 64 * 1024;

/** What the site has to seal into. */
export interface RemoteStore {
  readonly options: Sealing["options"];
  readonly config: Config;
  readonly hasJobs: boolean;
  /** Undefined: it is not encrypted. */
  readonly wrappingKey: WrappingKey | undefined;
  /** Before anything is opened. */
  prepare(): Promise<void>;
  /** Of the process that keeps it, when it is started. */
  processEnd(): StoreProcessEnd;
}

export interface RemoteSite {
  groups(): readonly RemoteGroupStatus[];
  /** Undefined: nothing is. */
  readonly sealed: SealedHistory | undefined;
  /** The process that keeps the store, if one runs. */
  storeProcess(): StoreProcess | undefined;
  /** Long works over the store. Undefined: there is none. */
  readonly jobs: JobRunner | undefined;
  stop(): Promise<void>;
}

export async function startRemoteSite(machine: SimHost, remoteStore?: RemoteStore): Promise<RemoteSite> {
  const { sockets, clock, randomness, log } = machine;
  await remoteStore?.prepare();
  const kept = remoteStore === undefined ? undefined : await openStore(machine, remoteStore);
  const appliance = await openRemoteAppliance({
    machine,
    folder: remoteFolder,
    options: { pieceBytes, ...remoteStore?.options },
    ...(kept === undefined ? {} : { sealer: kept.store }),
  });
  const server = new GroupLinkServer({ sockets, clock, randomness, log, token: linkToken }, appliance);
  await server.listen({ kind: "tcp", host: machine.name, port: linkPort });
  const jobs = kept !== undefined && remoteStore?.hasJobs === true ? openJobs(machine, kept.store) : undefined;
  return {
    groups: () => appliance.status(),
    sealed: kept?.store,
    storeProcess: () => kept?.process(),
    jobs,
    stop: async () => {
      jobs?.stop();
      await server.close();
      await appliance.stop();
      await kept?.store.stop();
      await kept?.store.close();
    },
  };
}

function openJobs(machine: SimHost, store: StoreClient): JobRunner {
  return JobRunner.open({ machine, path: `${remoteFolder}/jobs.json`, store, everyMs: {} });
}

async function openStore(machine: SimHost, { config, wrappingKey, processEnd }: RemoteStore) {
  let process: StoreProcess | undefined;
  machine.files.makeFolder(remoteFolder);
  const binding = await openBinding(machine);
  const common = { config, folder: storeFolder, indexFolder };
  const startKeeper = (isIndexSuspect: boolean): StoreProcess => {
    const { holder, store: id } = binding;
    const sent = wrappingKey === undefined ? undefined : sentKey(wrappingKey);
    const settings = { ...common, isIndexSuspect, wrappingKey: sent, binding: { holder, store: id } };
    process = new StoreProcess(machine, settings, processEnd());
    return process;
  };
  const doubt = NamesDoubt.open(machine, `${remoteFolder}/names-doubt.json`);
  const store = await StoreClient.open({ machine, folder: storeFolder, startKeeper, wrappingKey, binding, doubt });
  return { store, process: () => (process?.isOver === false ? process : undefined) };
}

async function openBinding(machine: SimHost): Promise<StoreBinding> {
  const objects = FolderObjects.openToRead(machine, storeFolder);
  try {
    return await StoreBinding.open({ machine, folder: remoteFolder, objects, place: storeFolder });
  } finally {
    await objects.close();
  }
}
