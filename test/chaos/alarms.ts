/** The shipped rules, judged by a Prometheus that looks every second and needs no `for`: what fires, what has fired, what has cleared. */
import { Prometheus } from "#test/control/metrics/prometheus.ts";
import { until } from "./until.ts";

/** Of these no fault of ours is a reason. */
const never = ["TidemarkVolumeFenced", "TidemarkGroupStopped", "TidemarkHostErrors"];

/** Their rules look further back than is waited for, or ahead; all others clear when what they tell of has passed. */
const lasting: Readonly<Record<string, string>> = {
  TidemarkChecksumErrors: "what was met within 15 minutes: bits are turned all the time",
  TidemarkModeFlaps: "what was switched within an hour: operators do, and auto where the link was bad",
  TidemarkWindowShrinks:
    "half of the longest window of seven days: a clock that was a day behind makes one that is as long",
  TidemarkStoreRoomLow: "where the room will be in three days, by the last six hours: a store of minutes grows quickly",
};

export class Alarms {
  readonly #prometheus: Prometheus;
  readonly #fired = new Map<string, number>();
  #expected = 0;

  private constructor(prometheus: Prometheus) {
    this.#prometheus = prometheus;
  }

  static async start(folder: string, targets: readonly string[]): Promise<Alarms> {
    return new Alarms(await Prometheus.start(folder, targets));
  }

  /** Those that were waited for and came, by name. */
  get fired(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#fired);
  }

  /** How often one was waited for. */
  get expected(): number {
    return this.#expected;
  }

  /** Resolves when any of these fires. */
  async untilAny(names: readonly string[], why: string): Promise<void> {
    this.#expected++;
    const name = await until(`${names.join(" or ")} fires, for ${why}`, async () => {
      const firing = await this.#prometheus.firing();
      const found = names.find((one) => firing.includes(one));
      if (found === undefined) throw new Error(`what fires: ${firing.join(", ") || "nothing"}`);
      return found;
    });
    this.#fired.set(name, (this.#fired.get(name) ?? 0) + 1);
  }

  /** Resolves when nothing fires that has to pass. */
  async untilCleared(): Promise<void> {
    await until("all alarms have cleared", async () => {
      const firing = await this.#prometheus.firing();
      const left = firing.filter((name) => lasting[name] === undefined);
      if (left.length > 0) throw new Error(`what fires: ${left.join(", ")}`);
    });
  }

  /** Names of those that must never fire, and have. */
  async unwanted(): Promise<string[]> {
    const series = await this.#prometheus.query(`max_over_time(ALERTS{alertname=~"${never.join("|")}"}[1d])`);
    return [...new Set(series.map(({ metric }) => metric.alertname as string))];
  }
}
