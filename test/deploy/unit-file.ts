/** A unit of systemd as its sections, keys and values. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "#test/tidy/project-files.ts";

export const unitNames = ["tidemark", "tidemark-interceptor", "tidemark-local", "tidemark-remote"];

export function unitPath(name: string): string {
  return join(projectRoot, `deploy/systemd/${name}.service`);
}

/** A key may stand there several times. */
export function readUnit(name: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  let section = "";
  for (const line of readFileSync(unitPath(name), "utf8").split("\n")) {
    section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    const path = `${section}.${key}`;
    values.set(path, [...(values.get(path) ?? []), value]);
  }
  return values;
}
