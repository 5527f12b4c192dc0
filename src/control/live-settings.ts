/** Which settings a running program takes over, and which wait for its next start. Pure. */
import { isDeepStrictEqual } from "node:util";
import { type Config, configSchema, entriesOf } from "./config-schema.ts";

/** Settings, or the sections that they are in. */
const taken = [
  ...["http.tls", "log.level", "drills", "remote.bandwidth", "remote.bandwidthHours"],
  ...["modes.linkLoss", "modes.degradeAfterSeconds", "modes.aggregateSeconds", "modes.auto"],
];

export interface Changes {
  /** In force from now on. */
  readonly taken: readonly string[];
  /** In force when the program is started again. */
  readonly waiting: readonly string[];
}

export interface Reload extends Changes {
  /** Why what is taken may not be in force everywhere yet. */
  readonly failures: readonly string[];
}

export function reloadInWords({ taken, waiting, failures }: Reload): string {
  const parts = [
    ...(taken.length === 0 ? [] : [`in force now: ${taken.join(", ")}`]),
    ...(waiting.length === 0 ? [] : [`in force after a restart: ${waiting.join(", ")}`]),
    ...failures.map((why) => `${why}: the next reload asks again`),
  ];
  return parts.length === 0 ? "the configuration has not changed" : parts.join("; ");
}

export function isLive(key: string): boolean {
  return taken.some((part) => key === part || key.startsWith(`${part}.`));
}

export function changesOf(old: Config, next: Config): Changes {
  const keys = entriesOf(configSchema).map(({ key }) => key);
  const changed = keys.filter((key) => !isDeepStrictEqual(settingIn(old, key), settingIn(next, key)));
  const isTaken = (key: string): boolean => isLive(key) && (keepsTls(old, next) || !key.startsWith("http.tls."));
  return { taken: changed.filter(isTaken), waiting: changed.filter((key) => !isTaken(key)) };
}

/** A server that has TLS gets other certificates while it runs; it neither begins nor ends with it. */
function keepsTls(...both: readonly [Config, Config]): boolean {
  return both.every(({ http }) => http.tls.certFile !== undefined);
}

/** The old one with what is taken of the new one. */
export function withLive(old: Config, next: Config): Config {
  const { log, drills, remote, modes } = next;
  const { linkLoss, degradeAfterSeconds, aggregateSeconds, auto } = modes;
  return {
    ...old,
    http: keepsTls(old, next) ? { ...old.http, tls: next.http.tls } : old.http,
    log: { ...old.log, level: log.level },
    drills,
    remote: { ...old.remote, bandwidth: remote.bandwidth, bandwidthHours: remote.bandwidthHours },
    modes: { ...old.modes, linkLoss, degradeAfterSeconds, aggregateSeconds, auto },
  };
}

export function settingIn(config: Config, key: string): unknown {
  let value: unknown = config;
  for (const name of key.split(".")) value = (value as Record<string, unknown>)[name];
  return value;
}
