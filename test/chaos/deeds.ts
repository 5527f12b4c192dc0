/**
 * What operators do meanwhile. Who is asked may be dead or frozen just then, or have no room: an order that is refused is none. But each
 * kind is taken now and then (`chaos.ts`), and what would harm is refused, if not for want of an answer.
 */
import type { WantedMode } from "#src/control/role.ts";
import type { RoleName } from "#test/oracle/sites.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { AskedError } from "./asked.ts";
import type { PointViews } from "./point-views.ts";
import { databaseVolume, stampedVolume, type World } from "./world.ts";

export interface Deed {
  readonly name: string;
  do(world: World, random: SeededRandom, views: PointViews): Promise<unknown>;
}

const volumes = [stampedVolume, databaseVolume] as const;
const modes: readonly WantedMode[] = ["sync", "async", "aggregated", "auto"];
const levels = ["every-write", "every-write", "2s"] as const;
let marks = 0;

/** Nobody has said that it is meant. Resolves where it is refused for just that. */
async function harm(world: World, role: RoleName, method: string, path: string, body?: object): Promise<void> {
  const refusal = await world.asked(role, method, path, body).then(
    () => new HarmError(`${method} ${path} was carried out, and nobody had confirmed it`),
    (error: Error) => error,
  );
  if (!(refusal instanceof AskedError && refusal.message.includes("confirm"))) throw refusal;
}

/** What no fault is an excuse for. */
export class HarmError extends Error {
  override name = "HarmError";
}

export const deeds: readonly Deed[] = [
  ...modes.map((mode) => ({
    name: `mode ${mode}`,
    do: (world: World, random: SeededRandom) => world.setMode(random.pick(volumes), mode),
  })),
  {
    name: "level",
    do: (world, random) => {
      return world.asked("local", "PUT", `/volumes/${random.pick(volumes)}/level`, { level: random.pick(levels) });
    },
  },
  {
    name: "mark",
    do: (world, random) => {
      return world.asked("local", "POST", `/groups/${random.pick(volumes)}/marks`, { name: `mark-${++marks}` });
    },
  },
  {
    name: "snapshot",
    do: (world, random) => world.asked("remote", "POST", `/volumes/${random.pick(volumes)}/snapshots`, {}),
  },
  { name: "collect", do: (world) => world.asked("remote", "POST", "/store/collect", {}) },
  { name: "verify", do: (world) => world.asked("remote", "POST", "/store/verify", {}) },
  {
    name: "remove a volume, unconfirmed",
    do: (world, random) => harm(world, "interceptor", "DELETE", `/volumes/${random.pick(volumes)}?force=true`),
  },
  { name: "restore", do: (_, random, views) => views.beginRestore(random) },
  { name: "look at a point", do: (_, random, views) => views.tryAny(random) },
  { name: "look at a point", do: (_, random, views) => views.tryAny(random) },
  { name: "look at a point", do: (_, random, views) => views.tryAny(random) },
];
