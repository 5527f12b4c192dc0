/** A mark on its way to the remote appliance, as whoever has set it waits for it: points are opened and restored there. */
import type { MarkReport } from "#src/control/control-plane.ts";
import { onItsWay, type SourceGroup } from "#src/control/points-on-the-way.ts";
import { pointArrivalMs, pointLookMs } from "#src/core/point-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import type { ApiClient } from "./api-client.ts";

/** Undefined: it is there. Else why not yet. Never rejects: the mark is set, whatever becomes of the question. */
export async function whyNotThere(
  api: Pick<ApiClient, "ask">,
  mark: Pick<MarkReport, "group" | "name" | "seq">,
  clock: Pick<Clock, "monotonicMs" | "timer"> = nodeClock,
): Promise<string | undefined> {
  const point = `mark:${mark.name}`;
  for (const untilMs = clock.monotonicMs() + pointArrivalMs; ; ) {
    let group: SourceGroup | undefined;
    try {
      const { groups } = (await api.ask("GET", ["groups"])) as { readonly groups: readonly SourceGroup[] };
      group = groups.find(({ name }) => name === mark.group);
    } catch (error) {
      return `whether ${point} is at the remote appliance is not known: ${(error as Error).message}`;
    }
    if (group === undefined) return `whether ${point} is at the remote appliance is not known: its group is gone`;
    if (group.durable >= mark.seq) return undefined;
    if (!group.linkUp || clock.monotonicMs() >= untilMs) return onItsWay(point, mark.seq, group);
    await new Promise<void>((resolve) => clock.timer(pointLookMs, resolve));
  }
}
