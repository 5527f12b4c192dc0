/**
 * `npm run coverage`: runs the tests of each folder of the pure parts, one folder after the other, and tells what of those folders
 * they run. With names of folders, only those, and by their own tests alone.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startVitest } from "vitest/node";
import { projectRoot, readProject } from "#test/tidy/project-files.ts";
import { folderOf, type SourceFile } from "#test/tidy/source-file.ts";
import { type CoveredFile, coverageTable } from "./coverage-table.ts";
import { coveredPlaces } from "./covered-places.ts";
import { RunCounts } from "./run-counts.ts";

const allFolders = ["core", "records", "wire", "store", "journals", "synth", "appliance", "interceptor"];

/** Whether all went well. What their processes ran is written to this folder. */
async function runTests(folder: string, reports: string): Promise<boolean> {
  process.env.NODE_V8_COVERAGE = reports;
  const vitest = await startVitest("test", [`test/${folder}/`], {
    config: false,
    root: projectRoot,
    watch: false,
    include: ["test/**/*.test.ts"],
    exclude: ["test/**/*.long.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    execArgv: ["--disable-warning=ExperimentalWarning"],
    // Node itself loads what is tested, so that what it reports are places of the files as they are.
    experimental: { viteModuleRunner: false },
    setupFiles: [join(import.meta.dirname, "flush.ts")],
    reporters: [["default", { summary: false }]],
    // Counting makes everything slower.
    testTimeout: 240_000,
    hookTimeout: 60_000,
  });
  await vitest.close();
  return vitest.state.getFiles().every((file) => file.result?.state === "pass" || file.result?.state === "skip");
}

function readCovered(folders: readonly string[], reports: string): Map<string, CoveredFile[]> {
  const project = readProject().filter(({ path }) => path.endsWith(".ts"));
  const files = project.filter(({ path }) => folders.some((folder) => path.startsWith(`src/${folder}/`)));
  const counts = new RunCounts(new Map(files.map(({ path, text }) => [join(projectRoot, path), text.length])));
  counts.addFolder(reports);
  const covered = (file: SourceFile): CoveredFile => {
    return { path: file.path, ...coveredPlaces(file, counts.of(join(projectRoot, file.path))) };
  };
  return Map.groupBy(files.map(covered), ({ path }) => `src/${folderOf(path)}`);
}

const asked = process.argv.slice(2);
const stranger = asked.find((folder) => !allFolders.includes(folder));
if (stranger !== undefined) {
  console.error(`'${stranger}' is no folder of the pure parts; these are: ${allFolders.join(" ")}.`);
  process.exit(2);
}
const folders = asked.length === 0 ? allFolders : asked;
const reports = mkdtempSync(join(tmpdir(), "tidemark-coverage-"));
let isSound = true;
try {
  for (const folder of folders) isSound = (await runTests(folder, reports)) && isSound;
  for (const line of coverageTable(readCovered(folders, reports))) console.log(line);
} finally {
  rmSync(reports, { recursive: true, force: true });
}
process.exit(isSound ? 0 : 1);
