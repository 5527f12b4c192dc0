/** Programs that die, are ended, stand still, or are started where one runs already. */
import { faultPlaces } from "#src/host/faults.ts";
import { type RoleName, roleNames } from "#test/oracle/sites.ts";
import { type FaultKind, inTurn } from "./fault-kind.ts";

const passesMax = 40;

function unreachable(roles: readonly RoleName[]) {
  return roles.map((role) => ({ anyOf: ["TidemarkUnreachable"], role }));
}

function inWords(roles: readonly RoleName[]): string {
  return roles.length === roleNames.length ? "all" : roles.join(" and ");
}

function killing(...roles: readonly RoleName[]): FaultKind {
  return {
    name: `kill ${inWords(roles)}`,
    isFatal: true,
    begin: async (world) => {
      await world.kill(...roles);
      return { alarms: unreachable(roles), end: () => world.start(...roles) };
    },
  };
}

/** In good order: whoever was in the middle of something has to bring it to an end. */
function ending(...roles: readonly RoleName[]): FaultKind {
  return {
    name: `end ${inWords(roles)}`,
    isFatal: true,
    begin: async (world) => {
      await world.stop(...roles);
      return { alarms: unreachable(roles), end: () => world.start(...roles) };
    },
  };
}

/** At the very places where it matters, and not just anywhere. */
function dying(place: string): FaultKind {
  const role = place.split(".")[0] as RoleName;
  return {
    name: `die ${place}`,
    isFatal: true,
    begin: async (world, random) => {
      await world.kill(role);
      await world.startDoomed(role, `${place}=kill@${random.between(1, passesMax)}`);
      const end = async () => {
        if (world.sites.runs(role)) await world.kill(role);
        await world.start(role);
      };
      return { end };
    },
  };
}

/** What stands still in the middle of a call to a disk that stands still too is not stopped before that goes on: nobody waits for it. */
function freezing(role: RoleName): FaultKind {
  return {
    name: `freeze ${role}`,
    begin: async ({ sites }) => {
      const { processId } = sites.program(role);
      signal(processId, "SIGSTOP");
      return { alarms: unreachable([role]), end: async () => void signal(processId, "SIGCONT") };
    },
  };
}

/** Of the remote's own processes. They end by themselves when it does. */
function signalling(which: "keeper" | "views", kind: "kill" | "freeze"): FaultKind {
  return {
    name: `${kind} the ${which === "keeper" ? "store's process" : "process of views"}`,
    isFatal: kind === "kill",
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

function doubling(role: RoleName): FaultKind {
  return {
    name: `start ${role} twice`,
    begin: async (world) => {
      const { code, stderr } = await world.startAnother(role);
      if (code !== 1 || !/is in use by process \d+/.test(stderr)) {
        throw new Error(`a second ${role} on the same data has ended with ${code}, saying ${stderr.trim()}`);
      }
      return { end: async () => {} };
    },
  };
}

const losingRemotePower: FaultKind = {
  name: "power of the remote",
  isFatal: true,
  begin: async (world, random) => {
    const power = world.power.remote;
    if (power === undefined) return undefined;
    await power.cut(random.integerBelow(2 ** 31), () => world.kill("remote"));
    const end = async () => {
      await power.back();
      await world.start("remote");
    };
    return { alarms: unreachable(["remote"]), end };
  },
};

export const processFaults: readonly FaultKind[] = [
  killing("interceptor"),
  killing("local"),
  killing("remote"),
  killing("interceptor", "local"),
  killing("local", "remote"),
  killing(...roleNames),
  ...roleNames.map((role) => ending(role)),
  ending(...roleNames),
  ...faultPlaces.map(dying),
  ...roleNames.map(freezing),
  ...roleNames.map(doubling),
  signalling("keeper", "kill"),
  signalling("keeper", "freeze"),
  signalling("views", "kill"),
  signalling("views", "freeze"),
  ...[losingRemotePower, losingRemotePower].map((kind) => inTurn("remote", kind)),
];
