/**
 * Runs one suite: `node deploy/test.js short|long`. Lint, format and types first, then the tests; without the first there are no
 * second. The last line is always `N passed, N failed`. Plain JavaScript: the machine's own Node may be the one to run it.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, "node_modules/.bin");
const failureLineCountMax = 40;

/** Every tool starts with `env node`; with `bin` first, that is the pinned one. */
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` };

const checks = [
  ["biome", "check", "--error-on-warnings", "."],
  ["tsc", "--noEmit"],
  // The page is for browsers, which know other types.
  ["tsc", "--noEmit", "--project", "src/ui"],
];

/** Side by side, for most of them use one processor; what each has said comes in one piece. */
async function pass() {
  const passed = await Promise.all(checks.map(([tool, ...toolArguments]) => passes(tool, toolArguments)));
  return passed.every(Boolean);
}

function passes(tool, toolArguments) {
  return new Promise((resolve) => {
    const child = spawn(join(bin, tool), toolArguments, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes) => said.push(bytes));
    child.on("error", (error) => said.push(Buffer.from(`${tool} could not be started: ${error.message}\n`)));
    child.on("close", (status) => {
      process.stdout.write(Buffer.concat(said));
      resolve(status === 0);
    });
  });
}

function run(tool, toolArguments) {
  const child = spawnSync(join(bin, tool), toolArguments, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
  if (child.error) console.error(`${tool} could not be started: ${child.error.message}`);
  return child.status === 0;
}

function runTests(suite) {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-test-"));
  const reportPath = join(folder, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportPath}`];
    const succeeded = run("vitest", ["run", "--project", `${suite}*`, ...reporters]);
    const report = readReport(reportPath);
    tellFailures(report);
    return count(report, succeeded);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, testResults: [] };
  }
}

/** Every line begins with `failed: `, so that one can find them in the output of several suites. */
function tellFailures({ testResults }) {
  for (const { name, message, assertionResults } of testResults) {
    if (message) tell(`${relative(root, name)} ${message}`);
    for (const { status, fullName, failureMessages } of assertionResults)
      if (status === "failed") tell(`${relative(root, name)} > ${fullName}\n${failureMessages.join("\n")}`);
  }
}

function tell(text) {
  for (const line of text.split("\n").slice(0, failureLineCountMax)) console.log(`failed: ${line}`);
}

/** A file that does not load, or an error outside of any test, has no failed test to its name and still is a failure. */
function count(report, succeeded) {
  const { numPassedTests: passed, numFailedTests, numPendingTests: skipped } = report;
  const failed = succeeded ? numFailedTests : Math.max(1, numFailedTests);
  return { passed, failed, skipped };
}

async function runSuite(suite) {
  return (await pass()) ? runTests(suite) : { passed: 0, failed: 1, skipped: 0 };
}

const suite = process.argv[2];
if (suite !== "short" && suite !== "long") {
  console.error("Usage: node deploy/test.js short|long");
  process.exit(2);
}
const { passed, failed, skipped } = await runSuite(suite);
if (skipped > 0) console.log(`${skipped} not run, for want of what the messages above name`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
