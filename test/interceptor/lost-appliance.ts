/** A volume whose appliance goes away, as several tests have it. */
import { ReconnectError } from "#src/core/errors.ts";
import { VolumeWorld } from "./volume-world.ts";

export const gone = new ReconnectError("the appliance hung up");
const nobody = new ReconnectError("nobody there");

export async function opened(options: ConstructorParameters<typeof VolumeWorld>[0] = {}): Promise<VolumeWorld> {
  const world = await VolumeWorld.opened(options);
  await world.warmUp();
  return world;
}

/** The appliance is away for the next so many attempts. */
export function lose(world: VolumeWorld, attempts: number): void {
  world.links.attachErrors = Array.from({ length: attempts }, () => nobody);
  world.links.lose(gone);
}
