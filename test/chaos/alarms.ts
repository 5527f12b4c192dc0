/** The shipped rules, judged by a Prometheus that looks every second and needs no `for`: what fires, what has fired, what has cleared. */
import { type FiringAlert, Prometheus } from "#test/control/metrics/prometheus.ts";
import type { RoleName } from "#test/oracle/sites.ts";
import { until } from "./until.ts";

/** What has to fire while a fault lasts. */
export interface ExpectedAlarm {
  readonly anyOf: readonly string[];
  /** Of the program of this role. */
  readonly role?: RoleName;
}

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

/** What fired for an earlier fault has cleared by then, if the new one is no reason for it. */
const leftoverMs = 4000;
/** Between what a program tells, and what is made of it. */
const judgedWithinMs = 3000;

export class Alarms {
  readonly #prometheus: Prometheus;
  readonly #instances: Readonly<Record<RoleName, string>>;
  readonly #fired = new Map<string, number>();
  #expected = 0;

  private constructor(prometheus: Prometheus, instances: Readonly<Record<RoleName, string>>) {
    this.#prometheus = prometheus;
    this.#instances = instances;
  }

  /** `targets`: where each answers. */
  static async start(folder: string, targets: Readonly<Record<RoleName, string>>): Promise<Alarms> {
    const instances = Object.entries(targets).map(([role, target]) => [role, new URL(target).host]);
    return new Alarms(await Prometheus.start(folder, Object.values(targets)), Object.fromEntries(instances));
  }

  /** Those that were waited for and came, by name. */
  get fired(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#fired);
  }

  /** How often one was waited for. */
  get expected(): number {
    return this.#expected;
  }

  /** Resolves when what is expected fires, or when there is no reason for it any more. */
  async untilFires(
    expected: ExpectedAlarm,
    why: string,
    { isMoot = () => false }: { readonly isMoot?: () => boolean } = {},
  ): Promise<void> {
    this.#expected++;
    const beganMs = performance.now();
    const { anyOf, role = "any of them" } = expected;
    const name = await until(`${anyOf.join(" or ")} of ${role} fires, for ${why}`, async () => {
      const all = await this.#prometheus.firingAlerts();
      const found = all.find((alert) => this.#isMeant(alert, expected));
      if (isMoot()) return undefined;
      if (found === undefined) throw new Error(`what fires: ${all.map(({ name }) => name).join(", ") || "nothing"}`);
      if (performance.now() - beganMs < leftoverMs) throw new Error(`${found.name} may be left from before`);
      return found.name;
    });
    if (name !== undefined) this.#fired.set(name, (this.#fired.get(name) ?? 0) + 1);
  }

  #isMeant({ name, labels, value }: FiringAlert, { anyOf, role }: ExpectedAlarm): boolean {
    if (!anyOf.includes(name) || (role !== undefined && labels.instance !== this.#instances[role])) return false;
    // Below zero is what is foretold, of a store that grows since minutes: that fires without any fault.
    return name !== "TidemarkStoreRoomLow" || value >= 0;
  }

  /** Whether it was firing at any time between these, as far as could be known by then. */
  async hasFired(
    alarm: string,
    labels: Readonly<Record<string, string>>,
    fromMs: number,
    toMs: number,
  ): Promise<boolean> {
    const own = Object.entries({ alertname: alarm, alertstate: "firing", ...labels });
    const selector = own.map(([name, value]) => `${name}="${value}"`).join(",");
    const seconds = Math.ceil((toMs - fromMs + judgedWithinMs) / 1000);
    const atSeconds = ((toMs + judgedWithinMs) / 1000).toFixed(3);
    const series = await this.#prometheus.query(`max_over_time(ALERTS{${selector}}[${seconds}s] @ ${atSeconds})`);
    return series.length > 0;
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
