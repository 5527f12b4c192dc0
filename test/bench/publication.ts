/** docs/benchmarks: the figures of each benchmark as JSON, and the document whose sections are written from them. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { succeed } from "#test/clients/command.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import type { Bench } from "./bench.ts";
import { replaceSection } from "./markdown.ts";

const documentFile = join(projectRoot, "docs/benchmarks.md");
const pictureFolder = join(projectRoot, "docs/images");
const formatter = join(projectRoot, "node_modules/.bin/biome");

function figuresFile(bench: Bench): string {
  return join(projectRoot, "docs/benchmarks", `${bench.name}.json`);
}

/** What an earlier run has published, if any. */
export async function publishedFigures(bench: Bench): Promise<unknown> {
  const file = figuresFile(bench);
  return existsSync(file) ? JSON.parse(await readFile(file, "utf8")) : undefined;
}

export async function publishFigures(bench: Bench, results: object): Promise<void> {
  const file = figuresFile(bench);
  await writeJson(file, results);
  await formatAsChecked(file);
  await publishSections([bench]);
}

/** From the figures that are there: where a benchmark was never run, its section stays as it is. */
export async function publishSections(benches: readonly Bench[]): Promise<void> {
  let document = await readFile(documentFile, "utf8");
  for (const bench of benches) {
    const file = figuresFile(bench);
    if (!existsSync(file)) continue;
    const json = await readFile(file, "utf8");
    document = replaceSection(document, bench.name, bench.format(json));
    if (bench.picture !== undefined) await writeFile(join(pictureFolder, `${bench.name}.svg`), bench.picture(json));
  }
  await writeFile(documentFile, document);
  await formatAsChecked(documentFile);
}

/** In the form that the project's own check asks of its files. */
async function formatAsChecked(file: string): Promise<void> {
  await succeed(formatter, ["format", "--write", `--config-path=${projectRoot}`, file]);
}

export async function writeJson(file: string, results: object): Promise<void> {
  await writeFile(file, `${JSON.stringify(results, undefined, 2)}\n`);
}
