/** What happens between the appliances. */
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { type FaultKind, inTurn } from "./fault-kind.ts";
import { mischiefs } from "./frame-proxy.ts";
import type { World } from "./world.ts";

const KiB = 1024;
const done = async (): Promise<void> => {};
const linkLost = [{ anyOf: ["TidemarkLinkDown"] }];

export const linkFaults: readonly FaultKind[] = [
  {
    name: "cut the link",
    begin: async ({ link }) => {
      link.cut();
      return { end: done };
    },
  },
  {
    name: "refuse connections",
    begin: async ({ link }) => {
      link.refuse();
      return { alarms: linkLost, end: async () => link.accept() };
    },
  },
  {
    name: "half-open link",
    begin: async ({ link }) => {
      link.goSilent();
      return { alarms: linkLost, end: async () => link.speak() };
    },
  },
  {
    name: "pull the cable",
    begin: async ({ far }) => {
      if (far === undefined) return undefined;
      await far.pullCable();
      return { alarms: linkLost, end: () => far.plugCable() };
    },
  },
  {
    name: "slow link",
    begin: async ({ link }, random) => {
      link.throttle(random.between(64, 1024) * KiB);
      link.delay(random.between(0, 100));
      const end = async () => {
        link.throttle(Number.POSITIVE_INFINITY);
        link.delay(0);
      };
      return { end };
    },
  },
  {
    name: "turned bit on the link",
    begin: async ({ link }, random) => {
      link.corrupt(random.pick(["up", "down"]), random.integerBelow(20_000));
      return { end: done };
    },
  },
  ...mischiefs.map((mischief) => ({
    name: `frame: ${mischief}`,
    begin: async ({ frames }: World, random: SeededRandom) => {
      frames.order(mischief, random.pick(["up", "down"]), random.integerBelow(30), random.integerBelow(65_536));
      return { end: done };
    },
  })),
  inTurn("local", {
    name: "full disk of spool and sources",
    begin: async ({ link, disks }, random) => {
      await disks.local.fill(random.integerBelow(1024) * KiB);
      // What leaves the spool makes room in it: so it is the link that lets it need more.
      link.refuse();
      const end = async () => {
        await disks.local.makeRoom();
        link.accept();
      };
      const alarms = [{ anyOf: ["TidemarkVolumeStands", "TidemarkVolumeUnprotected", "TidemarkGroupStands"] }];
      return { alarms, end };
    },
  }),
];
