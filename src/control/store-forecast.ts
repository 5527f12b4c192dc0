/** How far back a store's room will reach: what is measured of its groups, which share it. */
import { blockBytes } from "#src/core/limits.ts";
import { ObjectDamageError } from "#src/store/object-damage.ts";
import type { AgeingPolicy } from "#src/synth/ageing-plan.ts";
import type { GroupHistory } from "#src/synth/group-history.ts";
import { type LevelMeasure, type ReachForecast, reachForecast } from "#src/synth/reach-forecast.ts";
import type { StoreRoom } from "./store-room.ts";

export interface ForecastParts {
  readonly histories: readonly Pick<GroupHistory, "spanMicros" | "levelMeasures" | "newestSnapshot">[];
  readonly room: StoreRoom;
  readonly keepMicros: number;
  readonly ageing: AgeingPolicy;
}

/** Undefined: nobody can tell yet. */
export async function storeForecast({
  histories,
  room,
  keepMicros,
  ageing,
}: ForecastParts): Promise<ReachForecast | undefined> {
  const groups: (readonly LevelMeasure[])[] = [];
  let [spanMicros, currentBlocks] = [0, 0];
  for (const history of histories) {
    spanMicros = Math.max(spanMicros, await history.spanMicros());
    groups.push(await history.levelMeasures());
    currentBlocks += await blocksNow(history);
  }
  const { physicalBytes, freeBytes, logicalBytes } = room;
  // What is found twice or shrinks does so alike, whether it is of now or of before.
  const share = logicalBytes > 0 ? Math.min(1, (currentBlocks * blockBytes) / logicalBytes) : 0;
  const facts = { spanMicros, groups, steps: ageing.steps, physicalBytes, currentBytes: physicalBytes * share };
  return reachForecast({ ...facts, freeBytes, keepMicros });
}

/** About so many blocks the group's volumes hold, as of the newest snapshot. */
async function blocksNow(history: Pick<GroupHistory, "newestSnapshot">): Promise<number> {
  try {
    const volumes = (await history.newestSnapshot())?.volumes ?? [];
    return volumes.reduce((sum, { layers, identity }) => {
      const blocks = layers.reduce((all, { blockCount }) => all + blockCount, 0);
      return sum + Math.min(blocks, Math.ceil((identity?.sizeBytes ?? 0) / blockBytes));
    }, 0);
  } catch (error) {
    if (error instanceof ObjectDamageError) return 0;
    throw error;
  }
}
