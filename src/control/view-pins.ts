/** Lets go of points that are held for views which are not there: a crash may have come between a pin and its view, on either way. */
import type { PinKeeper } from "./pin-keeper.ts";
import { viewPin } from "./view.ts";

/** `there`: the ids of all views whose points are to be held. */
export async function dropStrayPins(
  pins: PinKeeper,
  groups: readonly { readonly id: string }[],
  there: readonly string[],
): Promise<void> {
  const known = new Set(there.map(viewPin));
  for (const { id: group } of groups) {
    for (const { id } of await pins.pins(group)) {
      if (id.startsWith(viewPin("")) && !known.has(id)) await pins.unpin(group, id);
    }
  }
}
