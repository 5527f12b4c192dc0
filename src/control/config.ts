/**
 * The configuration in force: what the command line says wins over the environment, that over the file, and that over the
 * defaults. Secrets are never taken from the command line, where every user of the machine could read them.
 */
import { dirname, resolve } from "node:path";
import { RefuseError } from "#src/core/errors.ts";
import { nearestName } from "#src/core/nearest-name.ts";
import { readConfigText, unknownKey, type Written } from "./config-file.ts";
import {
  type Config,
  configSchema,
  type Entry,
  entriesOf,
  isSetting,
  type Section,
  variableOf,
} from "./config-schema.ts";
import { notUnderstood } from "./setting.ts";

export interface ConfigSources {
  readonly file?: { readonly name: string; readonly text: string };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `KEY=VALUE`, as after `--set`. */
  readonly assignments: readonly string[];
  /** Where the program was started: what relative paths are relative to, those of the file aside. */
  readonly folder: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Where each setting comes from, by its key; what is not in here has its default. */
  readonly origins: ReadonlyMap<string, string>;
}

const entries = entriesOf(configSchema);
const entryByKey = new Map(entries.map((entry) => [entry.key, entry]));
const prefixOfVariables = "TIDEMARK_";
/** Of commands that ask a running program: whoever has set them for himself may also start one. */
const commandVariables: ReadonlySet<string> = new Set(["TIDEMARK_API", "TIDEMARK_API_TOKEN_FILE", "TIDEMARK_API_CA"]);

export function loadConfig(sources: ConfigSources): LoadedConfig {
  const { file, folder } = sources;
  const values = new Map<string, unknown>();
  const origins = new Map<string, string>();
  for (const entry of entries) values.set(entry.key, fallbackOf(entry, folder));
  const take = (written: Written, base: string): void => {
    values.set(written.key, parsed(written, base));
    origins.set(written.key, written.where);
  };
  if (file !== undefined) {
    const base = resolve(folder, dirname(file.name));
    for (const written of readConfigText(file.text, file.name)) take(written, base);
  }
  for (const written of readEnvironment(sources.environment)) take(written, folder);
  for (const written of sources.assignments.map(readAssignment)) take(written, folder);
  return { config: built(configSchema, values, "") as unknown as Config, origins };
}

function fallbackOf({ setting }: Entry, folder: string): unknown {
  const { fallback } = setting;
  return typeof fallback === "string" ? setting.parse(fallback, folder) : fallback;
}

function parsed({ key, text, where }: Written, folder: string): unknown {
  const { setting } = entryByKey.get(key) as Entry;
  const value = setting.parse(text, folder);
  if (value !== notUnderstood) return value;
  throw new RefuseError(`${where}: ${key} must be ${setting.shape}${setting.secret ? "" : `, not '${text}'`}`);
}

/** Other variables of the same beginning may be for something else, but one that is nearly a setting is a slip. */
function readEnvironment(environment: ConfigSources["environment"]): Written[] {
  const keys = new Map(entries.map(({ key }) => [variableOf(key), key]));
  const tails = [...keys.keys()].map((name) => name.slice(prefixOfVariables.length));
  const found: Written[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (text === undefined || !name.startsWith(prefixOfVariables)) continue;
    const key = keys.get(name);
    if (key !== undefined) found.push({ key, text, where: `the environment's ${name}` });
    else if (!commandVariables.has(name))
      refuseNearMiss(name, nearestName(name.slice(prefixOfVariables.length), tails));
  }
  return found;
}

function refuseNearMiss(name: string, nearest: string | undefined): void {
  if (nearest === undefined) return;
  throw new RefuseError(`the environment's ${name} is no setting; did you mean ${prefixOfVariables}${nearest}?`);
}

function readAssignment(assignment: string): Written {
  const [, key, text] = /^([^=]*)=(.*)$/s.exec(assignment) ?? [];
  if (key === undefined || text === undefined) throw new RefuseError(`--set takes KEY=VALUE, not '${assignment}'`);
  const entry = entryByKey.get(key);
  if (entry === undefined) throw new RefuseError(`--set: ${unknownPath(key)}`);
  if (entry.setting.secret) {
    throw new RefuseError(`--set ${key}: others can read the command line; write it into a file and set ${key}File`);
  }
  return { key, text, where: "--set" };
}

function unknownPath(key: string): string {
  let section: Section = configSchema;
  let prefix = "";
  for (const name of key.split(".")) {
    const part = Object.hasOwn(section, name) ? section[name] : undefined;
    if (part === undefined || isSetting(part)) return unknownKey(key.slice(prefix.length), section, prefix);
    section = part;
    prefix += `${name}.`;
  }
  return `'${key}' is a section; its settings are ${Object.keys(section).join(", ")}`;
}

function built(section: Section, values: ReadonlyMap<string, unknown>, prefix: string): Record<string, unknown> {
  const pairs = Object.entries(section).map(([name, part]) => {
    const key = `${prefix}${name}`;
    return [name, isSetting(part) ? values.get(key) : built(part, values, `${key}.`)];
  });
  return Object.fromEntries(pairs);
}
