/** Disks that are full, that turn bits, that stand still. */
import { succeed } from "#test/clients/command.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { type FaultKind, inTurn } from "./fault-kind.ts";
import { turnBit } from "./turned-bit.ts";
import type { World } from "./world.ts";

const KiB = 1024;

const fullStore: FaultKind = {
  name: "full disk of the remote",
  begin: async ({ disks: { remote } }, random) => {
    await remote.fill(random.integerBelow(1024) * KiB);
    return { alarms: [{ anyOf: ["TidemarkGroupFull", "TidemarkStoreRoomLow"] }], end: () => remote.makeRoom() };
  },
};

export const storeFaults: readonly FaultKind[] = [
  fullStore,
  ...["segments", "pieces", "snapshots"].map((kind) => ({
    name: `turned bit in the store's ${kind}`,
    begin: (world: World, random: SeededRandom) => turnBit(world, random, kind),
  })),
].map((kind) => inTurn("remote", kind));

/** Whoever writes there waits, and nothing fails. */
function standingStill(which: "local" | "remote"): FaultKind {
  return {
    name: `the ${which} disk stands still`,
    begin: async ({ disks }) => {
      const { path } = disks[which];
      await succeed("fsfreeze", ["--freeze", path]);
      return { end: async () => void (await succeed("fsfreeze", ["--unfreeze", path])) };
    },
  };
}

export const standstills: readonly FaultKind[] = (["local", "remote"] as const).map((site) => {
  return inTurn(site, standingStill(site));
});
