import { defineConfig } from "vitest/config";

const longSuite = "test/**/*.long.test.ts";

/** Tests of these keep to what they have made themselves: it takes longer to start a process for one of their files than to run most. */
const folders = "appliance,control,core,interceptor,journals,nbd,records,store,synth,ui,wire";
const together = `test/{${folders}}/**/*.test.ts`;
const short = { exclude: [longSuite], testTimeout: 300_000 };

/** Stores and disks come and go by the dozen: the collector, which was a quarter of such tests, lets some of them be before it begins. */
const spacious = [
  "--single-threaded-gc",
  "--external-memory-accounted-in-global-limit",
  "--initial-old-space-size=512",
  "--min-semi-space-size=16",
];

export default defineConfig({
  test: {
    // Real servers, files and clients: a process per file keeps descriptors and memory of one file from another's.
    pool: "forks",
    // One more than a small machine has processors: many tests wait, for a link to be given up or a program to come back.
    maxWorkers: 3,
    execArgv: ["--disable-warning=ExperimentalWarning", ...spacious],
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
        test: { ...short, name: "short", include: ["test/**/*.test.ts"], exclude: [longSuite, together] },
      },
      // Named so that it comes behind the other one: whatever process is free takes the next of its files.
      { extends: true, test: { ...short, name: "short-together", include: [together], isolate: false } },
      { extends: true, test: { name: "long", include: [longSuite], testTimeout: 1_200_000 } },
    ],
  },
});
