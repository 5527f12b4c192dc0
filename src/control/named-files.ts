/**
 * Certificates, keys and tokens: files that the configuration names, and that a program reads at its start. One may have another content
 * under the same name, as a certificate has that was renewed.
 */
import { createHash } from "node:crypto";
import { readTextFile } from "#src/host/node/text-file.ts";
import { type Config, configSchema, entriesOf } from "./config-schema.ts";
import { settingIn } from "./live-settings.ts";

/** Digests, by settings; undefined: it cannot be read. */
export type FileContents = ReadonlyMap<string, string | undefined>;

const keys = entriesOf(configSchema)
  .map(({ key }) => key)
  .filter((key) => /(cert|key|ca|token)File$/i.test(key));

export function contentsOf(config: Config): FileContents {
  return new Map(
    keys.flatMap((key) => {
      const path = settingIn(config, key);
      return typeof path === "string" ? [[key, digestOf(path)] as const] : [];
    }),
  );
}

/** Settings that both have, of files whose content is another one. */
export function changedContents(old: FileContents, next: FileContents): readonly string[] {
  return [...next].flatMap(([key, digest]) => (old.has(key) && old.get(key) !== digest ? [key] : []));
}

function digestOf(path: string): string | undefined {
  try {
    return createHash("sha256").update(readTextFile(path)).digest("hex");
  } catch {
    return undefined;
  }
}
