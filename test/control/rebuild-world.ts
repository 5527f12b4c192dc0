/** A remote appliance with a store, of which its folder is made again. */
import { expect } from "vitest";
import { rebuildFromStore, type StoreRebuildParts, type StoreRebuildResult } from "#src/control/store-rebuild.ts";
import { recordType } from "#src/records/record.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { openStore } from "#src/store/store-opening.ts";
import { GroupHistory } from "#src/synth/group-history.ts";
import { groupA, type LocalPeer, RemoteWorld } from "#test/appliance/remote/remote-world.ts";
import { driven } from "#test/contract/driver.ts";
import { wireBatch } from "#test/journals/wire-batch.ts";

export async function started(): Promise<RemoteWorld> {
  const world = new RemoteWorld(1, { sealAfterMs: 1000, sealRetryMs: 100 }, { hasStore: true });
  await world.start();
  if (world.store !== undefined) await driven(world.driver, openStore(world.store.objects, world.host));
  return world;
}

/** One record after the other, each in a piece of its own. */
export async function store(world: RemoteWorld, peer: LocalPeer, ...seqs: readonly number[]): Promise<void> {
  for (const seq of seqs) {
    peer.send(wireBatch({ firstSeq: seq }, [{}]));
    await world.driver.until(() => peer.last.stored >= seq);
  }
}

/** A history over what the store holds now. */
export function historyOf({ host, store }: RemoteWorld): GroupHistory {
  const { objects } = store ?? expect.unreachable("there is a store");
  return new GroupHistory({ objects, clock: host.clock, randomness: host.randomness, key: undefined, group: groupA });
}

/** A volume of 8 KiB, a write, and a resize to 16 KiB: records 1 to 3. */
export async function storeResized(world: RemoteWorld): Promise<void> {
  const peer = await world.connect();
  const about = { ordinal: 0, blockCount: 0 };
  const volume = { ...about, type: recordType.volume, extra: { id: "v", name: "root", sizeBytes: 8192 } };
  const resize = { ...about, type: recordType.resize, extra: { sizeBytes: 16384, previousBytes: 8192 } };
  peer.send(wireBatch({ firstSeq: 1 }, [volume]));
  await world.driver.until(() => peer.last.stored === 1);
  await store(world, peer, 2);
  peer.send(wireBatch({ firstSeq: 3 }, [resize]));
  await world.driver.until(() => peer.last.stored === 3);
}

export async function rebuild(
  world: RemoteWorld,
  change: Partial<StoreRebuildParts> = {},
): Promise<StoreRebuildResult> {
  const { host: machine, driver } = world;
  const folder = change.folder ?? "/data";
  machine.files.makeFolder(folder);
  const objects = await driven(driver, FolderObjects.open(machine, "/store"));
  const common = { machine, folder, objects, place: "/store", wrappingKey: undefined, confirmed: [], cut: [] };
  try {
    return await driven(driver, rebuildFromStore({ ...common, isInPlace: false, progress: () => {}, ...change }));
  } finally {
    await objects.close();
  }
}

export function piecePath(seq: number, group = groupA): string {
  return `/store/pieces/${group}/${String(seq).padStart(16, "0")}`;
}
