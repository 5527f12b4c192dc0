/** The remote appliance with its door, as the configuration wants them. */
import { openRemoteAppliance, type RemoteAppliance } from "#src/appliance/remote/remote-appliance.ts";
import type { Machine } from "#src/host/machine.ts";
import { faultHook } from "#src/host/node/faults.ts";
import { startProcess } from "#src/host/node/process.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import { GroupLinkServer } from "#src/wire/group-link-server.ts";
import type { Config } from "./config-schema.ts";
import { privateWireSocket, roleFolder, storeFolder, storeIndexFolder } from "./folder-layout.ts";
import { listenInWords } from "./listening-address.ts";
import type { RemoteGroupFacts, StoreFacts } from "./role.ts";
import type { SideSettings } from "./side.ts";
import { StoreClient } from "./store-client.ts";
import { readStoreKey } from "./store-key.ts";
import { type StoreSettings, sentKey } from "./store-words.ts";

export class RemotePart {
  readonly address: SocketAddress;
  readonly #appliance: RemoteAppliance;
  readonly #door: GroupLinkServer;
  readonly #store: StoreClient;

  private constructor(appliance: RemoteAppliance, door: GroupLinkServer, address: SocketAddress, store: StoreClient) {
    this.#store = store;
    this.#appliance = appliance;
    this.#door = door;
    this.address = address;
  }

  static async start(machine: Machine, { config, roles, secrets }: SideSettings): Promise<RemotePart> {
    const { sockets, clock, randomness, log } = machine;
    const hook = faultHook(config.faults);
    const store = await openStoreClient(machine, config);
    const appliance = await openRemoteAppliance({
      machine,
      folder: roleFolder(config, "remote"),
      options: { sealAfterMs: config.store.sealAfterSeconds * 1000 },
      sealer: store,
      ...(hook === undefined ? {} : { hook }),
    });
    const isPrivate = roles.includes("local");
    const tls = isPrivate || secrets.wireTls === undefined ? {} : { tls: secrets.wireTls };
    const door = new GroupLinkServer({ sockets, clock, randomness, log, token: secrets.wireToken, ...tls }, appliance);
    const address = await listenInWords(
      isPrivate ? privateAddress(config) : publicAddress(config),
      { forWhom: "local appliances", settings: isPrivate ? "another data folder" : "wire.port or wire.socket" },
      (where) => door.listen(where),
    );
    return new RemotePart(appliance, door, address, store);
  }

  groups(): readonly RemoteGroupFacts[] {
    return this.#appliance.status();
  }

  get store(): StoreFacts {
    return { segmentCount: this.#store.segmentCount, sealed: this.#store.figures };
  }

  async stop(): Promise<void> {
    await this.#door.close();
    // Groups let go of what is being sealed of them, and read what the store has until they have stopped.
    await this.#appliance.stop();
    await this.#store.stop();
    await this.#store.close();
  }
}

async function openStoreClient(machine: Machine, config: Config): Promise<StoreClient> {
  const folder = storeFolder(config);
  const wrappingKey = await readStoreKey(machine.files, config);
  const sent = wrappingKey === undefined ? undefined : sentKey(wrappingKey);
  const common = { config, folder, indexFolder: storeIndexFolder(config), wrappingKey: sent };
  const startKeeper = (isIndexSuspect: boolean) => {
    const settings: StoreSettings = { ...common, isIndexSuspect };
    return startProcess(new URL("./store-keeper.ts", import.meta.url), settings);
  };
  return StoreClient.open({ machine, folder, startKeeper, wrappingKey });
}

function privateAddress(config: Config): SocketAddress {
  return { kind: "unix", path: privateWireSocket(config) };
}

function publicAddress({ wire }: Config): SocketAddress {
  if (wire.socket !== undefined) return { kind: "unix", path: wire.socket };
  return { kind: "tcp", host: wire.host, port: wire.port ?? 0 };
}
