/** How the sides of a program are ended: one after the other, and each of them whatever becomes of those before it. */
import { sideStopMs } from "#src/core/limits.ts";
import type { Thread } from "#src/host/thread.ts";
import type { Farewell } from "./farewell.ts";
import type { SideClient } from "./side-client.ts";

export interface EndingSide {
  readonly client: Pick<SideClient, "ask">;
  readonly thread: Pick<Thread, "end" | "ended">;
  /** It can be stopped in order. */
  readonly isStarted: boolean;
}

/** Throws what the first of them has failed with, when all have ended that do. */
export async function endSides(sides: readonly EndingSide[]): Promise<readonly Farewell[]> {
  const farewells: Farewell[] = [];
  const failures: unknown[] = [];
  for (const { client, thread, isStarted } of sides) {
    try {
      if (isStarted) farewells.push(await client.ask("stop", null, sideStopMs));
    } catch (error) {
      failures.push(error);
      // Not waited for: it may be held up by a disk.
      thread.end();
      continue;
    }
    thread.end();
    await thread.ended;
  }
  if (failures.length > 0) throw failures[0];
  return farewells;
}
