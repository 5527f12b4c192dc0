/**
 * What goes wrong, in lanes: of one lane only one thing at a time, of several lanes many things at once. Each can be undone, and
 * some are told of by an alarm if they last.
 */

import { type RoleName, roleNames } from "#test/oracle/sites.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { FillableFolder } from "./fillable-folder.ts";
import { mischiefs } from "./frame-proxy.ts";
import { turnBit } from "./turned-bit.ts";
import type { World } from "./world.ts";

export interface Fault {
  /** One of these fires while it lasts; nothing: whether any does is a matter of chance. */
  readonly alarms?: readonly string[];
  /** Undoes it, and resolves when that is done. */
  end(): Promise<void>;
}

export interface FaultKind {
  readonly name: string;
  /** Undefined: there was nothing that it could happen to. */
  begin(world: World, random: SeededRandom): Promise<Fault | undefined>;
}

const KiB = 1024;
const done = async (): Promise<void> => {};

function killing(...roles: readonly RoleName[]): FaultKind {
  return {
    name: `kill ${roles.length === roleNames.length ? "all" : roles.join(" and ")}`,
    begin: async (world) => {
      await world.kill(...roles);
      return { alarms: ["TidemarkUnreachable"], end: () => world.start(...roles) };
    },
  };
}

function freezing(role: RoleName): FaultKind {
  return {
    name: `freeze ${role}`,
    begin: async ({ sites }) => {
      const program = sites.program(role);
      program.freeze();
      return { alarms: ["TidemarkUnreachable"], end: async () => program.thaw() };
    },
  };
}

/** Of the remote's own processes. They end by themselves when it does. */
function signalling(which: "keeper" | "views", kind: "kill" | "freeze"): FaultKind {
  return {
    name: `${kind} the ${which === "keeper" ? "store's process" : "process of views"}`,
    begin: async (world) => {
      const id = world.childOfRemote(which);
      if (id === undefined || !signal(id, kind === "kill" ? "SIGKILL" : "SIGSTOP")) return undefined;
      return { end: async () => void (kind === "freeze" && signal(id, "SIGCONT")) };
    },
  };
}

function signal(id: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(id, name);
  } catch {
    // It has ended meanwhile.
    return false;
  }
}

/** Nobody else does anything to the remote's disk meanwhile. */
function inTurn({ name, begin }: FaultKind): FaultKind {
  return {
    name,
    begin: async (world, random) => {
      const leave = await world.remoteTurn.take();
      try {
        const fault = await begin(world, random);
        if (fault === undefined) leave();
        else return { ...fault, end: () => fault.end().finally(leave) };
        return undefined;
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}

const losingPower: FaultKind = {
  name: "power of the remote",
  begin: async (world, random) => {
    const { power } = world;
    if (power === undefined) return undefined;
    await power.cut(random.integerBelow(2 ** 31), () => world.kill("remote"));
    const end = async () => {
      await power.back();
      await world.start("remote");
    };
    return { alarms: ["TidemarkUnreachable"], end };
  },
};

const processFaults: readonly FaultKind[] = [
  killing("interceptor"),
  killing("local"),
  killing("remote"),
  killing("interceptor", "local"),
  killing("local", "remote"),
  killing(...roleNames),
  ...roleNames.map(freezing),
  signalling("keeper", "kill"),
  signalling("keeper", "freeze"),
  signalling("views", "kill"),
  signalling("views", "freeze"),
  inTurn(losingPower),
];

const linkLost = ["TidemarkLinkDown"];

const linkFaults: readonly FaultKind[] = [
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
  {
    name: "full disk of spool and sources",
    begin: async ({ link, disks }, random) => {
      await disks.local.fill(random.integerBelow(1024) * KiB);
      // What leaves the spool makes room in it: so it is the link that lets it need more.
      link.refuse();
      const end = async () => {
        await disks.local.makeRoom();
        link.accept();
      };
      return { alarms: ["TidemarkVolumeStands", "TidemarkVolumeUnprotected", "TidemarkSpoolNearlyFull"], end };
    },
  },
];

function filling(name: string, diskOf: (world: World) => FillableFolder, alarms: readonly string[]): FaultKind {
  return {
    name,
    begin: async (world, random) => {
      const disk = diskOf(world);
      await disk.fill(random.integerBelow(1024) * KiB);
      return { alarms, end: () => disk.makeRoom() };
    },
  };
}

const storeFaults: readonly FaultKind[] = [
  filling("full disk of the remote", ({ disks }) => disks.remote, ["TidemarkGroupFull", "TidemarkStoreRoomLow"]),
  ...["segments", "pieces", "snapshots"].map((kind) => ({
    name: `turned bit in the store's ${kind}`,
    begin: (world: World, random: SeededRandom) => turnBit(world, random, kind),
  })),
].map(inTurn);

function jumping(name: string, leastMs: number, mostMs: number): FaultKind {
  return {
    name,
    begin: async ({ jump }, random) => {
      jump(random.between(leastMs, mostMs));
      return { end: async () => jump(0) };
    },
  };
}

/** Ahead only a little: as long as a clock was ahead, times stand still when it is right again, and nothing comes of age. */
const clockFaults: readonly FaultKind[] = [
  jumping("clock ahead", 1000, 30_000),
  jumping("clock behind", -86_400_000, -1000),
];

export const lanes: Readonly<Record<string, readonly FaultKind[]>> = {
  processes: processFaults,
  link: linkFaults,
  store: storeFaults,
  clock: clockFaults,
};
