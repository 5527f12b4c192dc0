/** Debian's own Prometheus, scraping what a test runs, with the rules that are shipped. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { freePort } from "#test/oracle/free-ports.ts";
import { Program } from "#test/oracle/program.ts";
import { patience } from "#test/patience.ts";
import { projectRoot } from "#test/tidy/project-files.ts";

export const rulesFolder = join(projectRoot, "deploy/prometheus");

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface FiringAlert {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of its expression. */
  readonly value: number;
}

interface AlertsAnswer {
  readonly data: {
    readonly alerts: readonly {
      readonly labels: FiringAlert["labels"];
      readonly state: string;
      readonly value: string;
    }[];
  };
}

interface QueryAnswer {
  readonly data: {
    readonly result: readonly { readonly metric: Series["metric"]; readonly value: [number, string] }[];
  };
}

export class Prometheus {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /** Looks every second, and alerts as soon as something is so: what else is shipped is as it is. */
  static async start(folder: string, targets: readonly string[]): Promise<Prometheus> {
    const own = join(folder, "prometheus");
    mkdirSync(own);
    const rules = readFileSync(join(rulesFolder, "tidemark.rules.yml"), "utf8").replace(/^( *for:) .*$/gm, "$1 0s");
    writeFileSync(join(own, "tidemark.rules.yml"), rules);
    const shipped = readFileSync(join(rulesFolder, "prometheus.yml"), "utf8");
    const hosts = targets.map((target) => JSON.stringify(new URL(target).host)).join(", ");
    const config = shipped
      .replace(/_interval: .*$/gm, "_interval: 1s")
      .replace(/- targets: .*$/m, `- targets: [${hosts}]`);
    writeFileSync(join(own, "prometheus.yml"), config);
    const address = `127.0.0.1:${await freePort()}`;
    new Program("prometheus", [
      ...(["prometheus", `--config.file=${join(own, "prometheus.yml")}`] as const),
      ...[`--storage.tsdb.path=${join(own, "data")}`, `--web.listen-address=${address}`, "--log.level=error"],
    ]);
    const prometheus = new Prometheus(`http://${address}`);
    await vi.waitFor(async () => {
      const up = await prometheus.query('up{job="tidemark"} == 1');
      if (up.length < targets.length) throw new Error(`${up.length} of ${targets.length} targets are up`);
    }, patience);
    return prometheus;
  }

  async query(expression: string): Promise<readonly Series[]> {
    const response = await fetch(`${this.#root}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { data } = (await response.json()) as QueryAnswer;
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** What is wrong with it, if anything is. */
  async refusal(expression: string): Promise<string | undefined> {
    const response = await fetch(`${this.#root}/api/v1/query?query=${encodeURIComponent(expression)}`);
    return ((await response.json()) as { readonly error?: string }).error;
  }

  /** Waits until something is so. */
  async until(expression: string): Promise<readonly Series[]> {
    return await vi.waitFor(async () => {
      const series = await this.query(expression);
      if (series.length === 0) throw new Error(`nothing answers ${expression}`);
      return series;
    }, patience);
  }

  async firing(): Promise<readonly string[]> {
    const series = await this.query('ALERTS{alertstate="firing"}');
    return series.map(({ metric }) => metric.alertname as string);
  }

  async firingAlerts(): Promise<readonly FiringAlert[]> {
    const response = await fetch(`${this.#root}/api/v1/alerts`);
    const { alerts } = ((await response.json()) as AlertsAnswer).data;
    const firing = alerts.filter(({ state }) => state === "firing");
    return firing.map(({ labels, value }) => ({ name: labels.alertname as string, labels, value: Number(value) }));
  }

  untilFiring(alert: string): Promise<readonly Series[]> {
    return this.until(`ALERTS{alertname="${alert}", alertstate="firing"}`);
  }

  async untilCleared(alert: string): Promise<void> {
    await this.until(`absent(ALERTS{alertname="${alert}", alertstate="firing"})`);
  }
}
