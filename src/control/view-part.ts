/** The views of a remote appliance with the process that serves them, as the configuration wants them. */
import { isDeepStrictEqual } from "node:util";
import { assert } from "#src/core/assert.ts";
import { viewFarewellMs } from "#src/core/view-limits.ts";
import type { Machine } from "#src/host/machine.ts";
import { environment } from "#src/host/node/environment.ts";
import { startProcess } from "#src/host/node/process.ts";
import { runShellAlong } from "#src/host/node/shell-command.ts";
import type { SocketAddress, TlsCredentials } from "#src/host/socket.ts";
import { formatNbdUri } from "#src/nbd/uri.ts";
import type { Config } from "./config-schema.ts";
import type { DrillsReport } from "./drill.ts";
import { DrillBook } from "./drill-book.ts";
import { drillsReport } from "./drill-list.ts";
import { DrillSchedule } from "./drill-schedule.ts";
import { drillsPath, groupsFolder, storeFolder, viewsAddress, viewsFolder } from "./folder-layout.ts";
import type { PinKeeper } from "./pin-keeper.ts";
import type { StoreClient } from "./store-client.ts";
import { readStoreKey } from "./store-key.ts";
import { sentKey } from "./store-words.ts";
import { ViewProcess } from "./view-process.ts";
import { ViewShelf } from "./view-shelf.ts";
import type { ViewSettings } from "./view-words.ts";
import { Views } from "./views.ts";
import type { VolumesOfGroup } from "./volume-of-group.ts";

export interface ViewPartParts {
  readonly machine: Machine;
  readonly config: Config;
  readonly tls: TlsCredentials | undefined;
  readonly store: PinKeeper & Pick<StoreClient, "metDamage">;
  readonly groups: () => readonly VolumesOfGroup[];
}

export interface ServedViews {
  readonly views: Views;
  readonly drills: DrillBook;
  /** As operators list them. */
  listDrills(): Promise<DrillsReport>;
  /** A drill that is under way is broken off where drills are to be otherwise. */
  reconfigure(config: Config): Promise<void>;
  /** What was written to views is durable when this resolves. */
  stop(): Promise<void>;
}

export async function serveViews({ machine, config, tls, store, groups }: ViewPartParts): Promise<ServedViews> {
  const wrappingKey = await readStoreKey(machine.files, config);
  const address = viewsAddress(config);
  const settings: ViewSettings = {
    ...{ config, address, tls, storeFolder: storeFolder(config), groupsFolder: groupsFolder(config) },
    wrappingKey: wrappingKey === undefined ? undefined : sentKey(wrappingKey),
  };
  const server = new ViewProcess({
    clock: machine.clock,
    start: () => startProcess(new URL("./view-server.ts", import.meta.url), settings, { givesWay: false }),
    metDamage: (segment) => store.metDamage(segment),
    lost: (error) => views.lost(error),
  });
  const shelf = ViewShelf.open(machine.files, viewsFolder(config));
  const uriOf = (where: SocketAddress | undefined, exportName: string): string => {
    const known = where ?? address;
    assert(known.kind !== "inherited", "views are attached where the configuration says");
    return formatNbdUri({ address: known, exportName, tls: tls !== undefined });
  };
  const drills = DrillBook.open(machine, drillsPath(config));
  const views = new Views({ machine, shelf, server, drills, pins: store, groups, uriOf });
  views.start();
  let inForce = config.drills;
  let schedule = scheduleOf({ machine, config, groups }, views, drills);
  schedule?.start();
  return {
    views,
    drills,
    listDrills: () =>
      drillsReport({ drills: () => drills.all, waiting: () => schedule?.waiting ?? [], server, groups }),
    reconfigure: async (next) => {
      if (isDeepStrictEqual(next.drills, inForce)) return;
      inForce = next.drills;
      await schedule?.stop();
      schedule = scheduleOf({ machine, config: next, groups }, views, drills);
      schedule?.start();
    },
    stop: async () => {
      await schedule?.stop();
      views.stop();
      await server.stop(viewFarewellMs);
    },
  };
}

/** Undefined: none is wanted. */
function scheduleOf(
  { machine, config, groups }: Pick<ViewPartParts, "machine" | "config" | "groups">,
  views: Views,
  book: DrillBook,
): DrillSchedule | undefined {
  const { everySeconds, withinSeconds, command } = config.drills;
  if (command === undefined || !Number.isFinite(everySeconds)) return undefined;
  const order = { command, everyMs: everySeconds * 1000, withinMs: withinSeconds * 1000 };
  const run = async (text: string, variables: object, timeoutMs: number, signal: AbortSignal): Promise<void> =>
    runShellAlong(text, { env: { ...environment(), ...variables }, timeoutMs, signal });
  return new DrillSchedule({ machine, order, book, views, groups, run });
}
