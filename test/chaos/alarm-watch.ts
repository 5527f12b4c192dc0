/**
 * Asks all programs for their state, all the while. Where the same has been so for some seconds the alarm that tells of it must have fired
 * by then: whoever lets something go wrong waits for the alarms of that, this is for all others.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type RoleName, roleNames } from "#test/oracle/sites.ts";
import type { Alarms } from "./alarms.ts";
import { gapMaxMs, StateSpans } from "./state-spans.ts";
import type { World } from "./world.ts";

const lookEveryMs = 500;

export class AlarmWatch {
  readonly #world: World;
  readonly #spans = new StateSpans();
  readonly #held = new Map<string, number>();
  #isOver = false;

  constructor(world: World) {
    this.#world = world;
  }

  /** How often something has lasted for so long that an alarm had to fire, and has, by its name. */
  get held(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#held);
  }

  /** Goes on until `end`. */
  async run(): Promise<void> {
    while (!this.#isOver) {
      await Promise.all(roleNames.map((role) => this.#look(role)));
      await pause(lookEveryMs);
    }
  }

  end(): void {
    this.#isOver = true;
  }

  /** Answers what should have fired by now, and has not. */
  async missed(alarms: Alarms): Promise<string[]> {
    const complaints: string[] = [];
    for (const { alarm, label, who, fromMs, toMs } of this.#spans.takeLasted()) {
      if (await alarms.hasFired(alarm, { [label]: who }, fromMs, toMs)) {
        this.#held.set(alarm, (this.#held.get(alarm) ?? 0) + 1);
        continue;
      }
      const seconds = ((toMs - fromMs) / 1000).toFixed(1);
      complaints.push(`${alarm} has not fired for ${who}, though there was a reason for ${seconds} s`);
    }
    return complaints;
  }

  async #look(role: RoleName): Promise<void> {
    const askedMs = Date.now();
    // Whoever is dead or frozen tells nothing.
    const status = await this.#world.status(role, gapMaxMs).catch(() => undefined);
    this.#spans.look(role, status, { askedMs, answeredMs: Date.now() });
  }
}
