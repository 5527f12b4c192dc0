/** The restores of a remote appliance, as the configuration wants them. */
import type { Machine } from "#src/host/machine.ts";
import { startProcess } from "#src/host/node/process.ts";
import type { Config } from "./config-schema.ts";
import {
  groupsFolder,
  ownExportsSocket,
  restoresFolder,
  storeFolder,
  viewsAddress,
  viewsFolder,
} from "./folder-layout.ts";
import { refuseOwn } from "./own-places.ts";
import type { PinKeeper } from "./pin-keeper.ts";
import { Restores, type RestoresParts } from "./restores.ts";
import { readStoreKey } from "./store-key.ts";
import { sentKey } from "./store-words.ts";

export interface RestorePartParts extends Pick<RestoresParts, "groups" | "resolve" | "standing"> {
  readonly machine: Machine;
  readonly config: Config;
  readonly store: PinKeeper;
}

export async function openRestores({
  machine,
  config,
  store,
  groups,
  resolve,
  standing,
}: RestorePartParts): Promise<Restores> {
  const wrappingKey = await readStoreKey(machine.files, config);
  const own = [viewsAddress(config), { kind: "unix", path: ownExportsSocket(config) } as const];
  return new Restores({
    ...{ machine, groups, resolve, standing, pins: store, folder: restoresFolder(config) },
    settings: {
      ...{
        config,
        storeFolder: storeFolder(config),
        groupsFolder: groupsFolder(config),
        viewsFolder: viewsFolder(config),
      },
      wrappingKey: wrappingKey === undefined ? undefined : sentKey(wrappingKey),
    },
    start: (settings) => startProcess(new URL("./restore-process.ts", import.meta.url), settings, { givesWay: false }),
    checkTarget: (target) => refuseOwn(config, own, target),
  });
}
