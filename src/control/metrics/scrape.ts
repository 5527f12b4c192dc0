/** What is scraped of a program: put together once, when somebody first asks for it, and read with each scrape. */
import { nodeClock } from "#src/host/node/clock.ts";
import { programVersion, runtimeVersion } from "#src/host/node/program-version.ts";
import type { TlsCredentials } from "#src/host/socket.ts";
import type { Config } from "../config-schema.ts";
import { allMetrics } from "./all-metrics.ts";
import { certificateTerms } from "./certificate-terms.ts";
import { MetricsReader, type MetricsReaderParts } from "./metrics-reader.ts";
import type { MetricsText } from "./metrics-text.ts";

export interface ScrapeParts extends Pick<MetricsReaderParts, "roles" | "sides" | "keeper" | "troubles"> {
  readonly config: Config;
  /** Those in force. */
  readonly credentials: () => Readonly<Record<"nbd" | "wire" | "http", TlsCredentials | undefined>>;
}

export interface Scraped {
  readonly contentType: string;
  readonly text: string;
}

export class Scrape {
  readonly #reader: MetricsReader;
  /** Its package takes a tenth of a start and 7 MB, which nobody misses who is not scraped. */
  #text: Promise<MetricsText> | undefined;

  constructor({ config, credentials, ...parts }: ScrapeParts) {
    const { retention, scrub } = config.store;
    this.#reader = new MetricsReader({
      ...parts,
      ...{ version: programVersion(), runtime: runtimeVersion() },
      certificates: () => certificateTerms(credentials()),
      terms: { keepSeconds: retention.keepSeconds, scrubSeconds: scrub.everySeconds },
    });
  }

  async read(): Promise<Scraped> {
    this.#text ??= import("./metrics-text.ts").then(
      (module) => new module.MetricsText(allMetrics, (callback) => nodeClock.soon(callback)),
    );
    const [metrics, snapshot] = await Promise.all([this.#text, this.#reader.read()]);
    return { contentType: metrics.contentType, text: await metrics.of(snapshot) };
  }
}
