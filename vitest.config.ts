import { defineConfig } from "vitest/config";

const longSuite = "test/**/*.long.test.ts";

export default defineConfig({
  test: {
    // Real servers, files and clients: a process per file keeps descriptors and memory of one file from another's.
    pool: "forks",
    maxWorkers: 2,
    execArgv: ["--disable-warning=ExperimentalWarning"],
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
        test: { name: "short", include: ["test/**/*.test.ts"], exclude: [longSuite], testTimeout: 300_000 },
      },
      { extends: true, test: { name: "long", include: [longSuite], testTimeout: 1_200_000 } },
    ],
  },
});
