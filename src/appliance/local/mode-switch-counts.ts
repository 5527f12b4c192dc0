/** How often a group has switched its mode since the start, and why: in few words, whatever numbers the reason had. */
import { askedFor, linkBack, linkLost, type Mode, type ModeSwitch } from "./mode-machine.ts";

export const switchReasons = ["asked", "auto", "link-lost", "link-back"] as const;
export type SwitchReason = (typeof switchReasons)[number];

export interface ModeSwitchCount {
  readonly from: Mode;
  readonly to: Mode;
  readonly why: SwitchReason;
  readonly count: number;
}

const reasonOf: ReadonlyMap<string, SwitchReason> = new Map([
  [askedFor, "asked"],
  [linkLost, "link-lost"],
  [linkBack, "link-back"],
]);

export class ModeSwitchCounts {
  readonly #counts = new Map<string, ModeSwitchCount>();

  add({ from, to, why: words }: ModeSwitch): void {
    // What else there is is said by auto, with what it has measured.
    const why = reasonOf.get(words) ?? "auto";
    const key = `${from} ${to} ${why}`;
    this.#counts.set(key, { from, to, why, count: (this.#counts.get(key)?.count ?? 0) + 1 });
  }

  get all(): readonly ModeSwitchCount[] {
    return [...this.#counts.values()];
  }
}
