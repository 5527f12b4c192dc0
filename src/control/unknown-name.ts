/** There is nothing of this name. */
import { RefuseError } from "#src/core/errors.ts";
import { nearestName } from "#src/core/nearest-name.ts";

export class UnknownNameError extends RefuseError {
  override name = "UnknownNameError";
}

/** `what` the items are is said where there is none of the name. */
export function itemNamed<Item extends { readonly name: string }>(
  name: string,
  items: readonly Item[],
  what: string,
): Item {
  const item = items.find((one) => one.name === name);
  if (item !== undefined) return item;
  throw unknownName(name, items, what);
}

/** `known`: what somebody may have meant. */
export function unknownName(name: string, known: readonly { readonly name: string }[], what: string): UnknownNameError {
  const nearest = nearestName(
    name,
    known.map((one) => one.name),
  );
  const advice = nearest === undefined ? "" : `; did you mean '${nearest}'?`;
  return new UnknownNameError(`there is no ${what} '${name.slice(0, 64)}'${advice}`);
}
