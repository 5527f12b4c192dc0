import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** By its full name, for processes that tests start may have it as an argument too. */
const compileCache = pathToFileURL(join(import.meta.dirname, "test/suite/compile-cache.js")).href;

const longSuite = "test/**/*.long.test.ts";

/**
 * Tests of these keep to what they have made themselves, be it programs, and leave their process as they find it: it takes longer to
 * start one for each file than to run most of them.
 */
const folders =
  "appliance,claims,cli,clients,control,core,coverage,deploy,interceptor,journals,kill,nbd,oracle,points-proof,power,records,sim,store," +
  "synth,ui,wire";

/** And so do these of other folders. */
const ofOtherFolders = {
  bench: "!(process-tree|process-usage)",
  chaos: "{cut-judge,frame-proxy,state-spans}",
  host: "{faults,log-line,publish,redaction,system-words}",
  "host/node":
    "{boot-id,clock,disk-room,group-sync,local-time,part-compression,part-encryption,randomness,sorted-map,zstd-frame}",
  // Whoever simulates both sites takes the promises that nobody waits for, in all of its process.
  sites: "{batch-reading,host-request,stamp,volume-model}",
};

const together = [
  `test/{${folders}}/**/*.test.ts`,
  ...Object.entries(ofOtherFolders).map(([folder, names]) => `test/${folder}/${names}.test.ts`),
];
const short = { exclude: [longSuite], testTimeout: 300_000 };

/** Stores and disks come and go by the dozen: the collector, which was a quarter of such tests, lets some of them be before it begins. */
const spacious = [
  "--single-threaded-gc",
  "--external-memory-accounted-in-global-limit",
  "--initial-old-space-size=512",
  "--min-semi-space-size=16",
];

/** Small files of long work. Where nothing is known of earlier runs large files come first, and these would be waited for alone. */
const begunFirst = [
  "test/sites/sites.test.ts",
  "test/power/sites.test.ts",
  "test/cli/collect.test.ts",
  "test/kill/stingy-system.test.ts",
  "test/kill/failing-syncs.test.ts",
  "test/kill/kill.test.ts",
  "test/claims/slow-link.test.ts",
  "test/claims/initial-copy.test.ts",
  "test/appliance/remote/crashes.test.ts",
  "test/interceptor/crashes.test.ts",
  "test/journals/bit-flips.test.ts",
  "test/store/collection-orders.test.ts",
  "test/synth/store-story.test.ts",
];

/** Tests of these wait for programs most of the time, or for a link to be given up; all others keep a processor busy. */
const waiting = /\/test\/(claims|cli|clients|deploy|kill|power)\//;

/** Each list in its order, and spread over the other one. */
function mixed<One>(some: readonly One[], others: readonly One[]): One[] {
  const placed = [some, others].flatMap((all) => all.map((one, index) => ({ one, place: (index + 0.5) / all.length })));
  return placed.sort((a, b) => a.place - b.place).map(({ one }) => one);
}

class LongWorkFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isFirst = ({ moduleId }: TestSpecification): boolean => begunFirst.some((path) => moduleId.endsWith(path));
    const projects = Map.groupBy(await super.sort(files), ({ project }) => project.name);
    return [...projects.values()].flatMap((all) => {
      const later = all.filter((one) => !isFirst(one));
      const { waits = [], works = [] } = Object.groupBy(later, (one) =>
        waiting.test(one.moduleId) ? "waits" : "works",
      );
      return [...all.filter(isFirst), ...mixed(waits, works)];
    });
  }
}

export default defineConfig({
  test: {
    // Real servers, files and clients: a process per file keeps descriptors and memory of one file from another's.
    pool: "forks",
    sequence: { sequencer: LongWorkFirst },
    // More than a small machine has processors: many tests wait, for a link to be given up or a program to come back.
    maxWorkers: 5,
    execArgv: ["--disable-warning=ExperimentalWarning", `--import=${compileCache}`, ...spacious],
    // Node loads tests as it loads the product: Vite would make other modules of them, in a process that all wait for.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    runner: "./test/suite/node-runner.ts",
    // A failure is a fault to find, so nothing is tried again and nothing passes by chance.
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    // Only what hangs runs into a limit: a slow machine, at work on something else as well, never does.
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { ...short, name: "short", include: ["test/**/*.test.ts"], exclude: [longSuite, ...together] },
      },
      // Named so that it comes behind the other one: whatever process is free takes the next of its files.
      { extends: true, test: { ...short, name: "short-together", include: together, isolate: false } },
      { extends: true, test: { name: "long", include: [longSuite], testTimeout: 1_200_000 } },
    ],
  },
});
