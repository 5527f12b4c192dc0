/**
 * How large the long suite is: whole, unless TIDEMARK_LONG_SHARE, between 0 and 1, says which share of its rounds is enough.
 * What is checked after each change has half an hour; all rounds take longer.
 */
import { assert } from "#src/core/assert.ts";

const share = Number(process.env.TIDEMARK_LONG_SHARE ?? 1);
assert(share > 0 && share <= 1, "TIDEMARK_LONG_SHARE is above 0 and at most 1");

/** For what may find, by its own chance, a fault that was there before the change: it says nothing of that change. */
export const isWhole = share === 1;

/** At least one of so many rounds. */
export function shareOf(count: number): number {
  return Math.ceil(count * share);
}

/** Where each of many is tried: every which one of them. */
export const oneIn = Math.round(1 / share);

/** As many members, from all over the list. */
export function someOf<Member>(members: readonly Member[]): Member[] {
  const count = shareOf(members.length);
  return Array.from({ length: count }, (_, index) => members[Math.floor((index * members.length) / count)] as Member);
}
