/** How far back a group's history reaches. */
import type { HistoryWindow } from "./kept-histories.ts";
import type { RemoteGroupFacts } from "./role.ts";

/** Where the newest record is not known any more, as of a group that could not be opened, there is no window to tell. */
export function windowSeconds(
  { oldestMicros }: Pick<HistoryWindow, "oldestMicros">,
  { timeMicros }: Pick<RemoteGroupFacts, "timeMicros">,
): number | undefined {
  return oldestMicros === undefined || timeMicros === 0 ? undefined : Math.max(0, timeMicros - oldestMicros) / 1e6;
}
