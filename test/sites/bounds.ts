/** Looked at between any two steps: limits that must hold at every moment, and figures that must never lie. */
import { demand } from "./violation.ts";
import type { World } from "./world.ts";

/** One per group, one that a dead peer still has, and attempts under way. */
const connectionsPerGroupMax = 4;
/** Longer than a peer without power is waited for, by a site whose disk has stalled meanwhile. */
const patienceMs = 60_000;

export function demandBounds(world: World): void {
  const { simulation, weather, source, journal } = world;
  const connections = simulation.network.standingCount;
  // Each loss of power leaves one more that the other side cannot know to be dead.
  const connectionsMax = weather.groups.length * (connectionsPerGroupMax + world.powerCutsWithin(patienceMs));
  demand(
    "bound",
    connections <= connectionsMax,
    () => `${connections} connections stand, ${connectionsMax} are the limit`,
  );
  for (const { id, durable } of world.remote?.groups() ?? []) journal.said(id, durable);
  for (const figures of source?.groups() ?? []) {
    const { name, spoolBytes, spoolLimitBytes, id, durable } = figures;
    demand(
      "bound",
      spoolBytes <= spoolLimitBytes,
      () => `the spool of ${name} has ${spoolBytes} of ${spoolLimitBytes} bytes`,
    );
    journal.said(id, durable);
  }
}
