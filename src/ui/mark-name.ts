/** What a mark is called unless somebody knows better. */
import { clockTime, dayOf } from "./words.ts";

export function markName(ms: number): string {
  return `page-${dayOf(ms)}-${clockTime(ms).replaceAll(":", "")}`;
}
