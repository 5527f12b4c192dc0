/** The configuration as text: for `tidemark config` a file that could be used, for the documents a list. */
import type { LoadedConfig } from "./config.ts";
import { configSchema, entriesOf, isSetting, type Section, variableOf } from "./config-schema.ts";

/** What stands for a secret that is set. */
export const hiddenSecret = "***";

export function configAsYaml({ config, origins }: LoadedConfig): string {
  return sectionAsYaml(configSchema, config, origins, "", "");
}

function sectionAsYaml(
  section: Section,
  values: object,
  origins: LoadedConfig["origins"],
  prefix: string,
  indent: string,
): string {
  return Object.entries(section)
    .map(([name, part]) => {
      const key = `${prefix}${name}`;
      const value = (values as Readonly<Record<string, unknown>>)[name];
      if (!isSetting(part)) {
        return `${indent}${name}:\n${sectionAsYaml(part, value as object, origins, `${key}.`, `${indent}  `)}`;
      }
      const shown = part.secret && value !== undefined ? hiddenSecret : part.print(value);
      const origin = origins.get(key);
      const from = origin === undefined ? "" : ` (from ${origin})`;
      return `${indent}# ${part.description}${from}\n${indent}${name}: ${quotedWhereNeeded(shown)}\n`;
    })
    .join("");
}

/** Every setting by its key, as texts, without secrets. */
export function configAsRecord({ config }: LoadedConfig): Record<string, string> {
  return Object.fromEntries(
    entriesOf(configSchema).map(({ key, setting }) => {
      const value = key.split(".").reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], config);
      return [key, setting.secret && value !== undefined ? hiddenSecret : setting.print(value)];
    }),
  );
}

/** A list for the documents. */
export function configList(): string {
  return entriesOf(configSchema)
    .map(({ key, setting }) => {
      const fallback = setting.print(setting.fallback);
      return `- \`${key}: ${fallback}\`: ${setting.description}\n  (${setting.shape}; \`${variableOf(key)}\`)\n`;
    })
    .join("");
}

function quotedWhereNeeded(text: string): string {
  return /^[\w./-][\w./,:-]*$/.test(text) && !text.endsWith(":") ? text : JSON.stringify(text);
}
