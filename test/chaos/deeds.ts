/** What operators do meanwhile. Who is asked may be dead or frozen just then: an order that is refused is none. */
import type { WantedMode } from "#src/control/role.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
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
  { name: "restore", do: (_, random, views) => views.beginRestore(random) },
  { name: "look at a point", do: (_, random, views) => views.tryAny(random) },
  { name: "look at a point", do: (_, random, views) => views.tryAny(random) },
  { name: "look at a point", do: (_, random, views) => views.tryAny(random) },
];
