/** How the programs of a world of chaos are set. */
import { join } from "node:path";
import type { SeededRandom } from "#test/sim/seeded-random.ts";

/** All of them small, so that everything happens many times. What a site does when it is in need is drawn. */
export function settingsOf(folder: string, random: SeededRandom): Record<string, unknown> {
  return {
    local: { socket: join(folder, "local.sock"), spool: { segment: "4M", limit: random.pick(["32M", "64M"]) } },
    views: { listen: join(folder, "views.sock") },
    store: {
      sealAfterSeconds: random.between(1, 4),
      sealBehind: 0,
      snapshots: { everySeconds: random.between(3, 8), everyRecords: 8000 },
      retention: { keepSeconds: 240, levels: "30s 1s, 90s 5s", marksSeconds: 120 },
      collect: { everySeconds: random.between(10, 20), graceSeconds: 1 },
      scrub: { everySeconds: random.between(10, 30) },
    },
    modes: {
      default: random.pick(["sync", "async"]),
      linkLoss: random.pick(["degrade", "stall"]),
      degradeAfterSeconds: 2,
      overflow: random.pick(["track", "stall"]),
      overflowAfterSeconds: 1,
      aggregateSeconds: 0.2,
    },
    interceptor: {
      checkpointSeconds: 1,
      applianceLost: random.pick(["track", "stall"]),
      trackAfterSeconds: 1,
      sourceFull: "wait",
    },
  };
}
