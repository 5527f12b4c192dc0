import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const longSuite = "test/**/*.long.test.ts";

/** Tests of these keep to what they have made themselves: it takes longer to start a process for one of their files than to run most. */
const folders = "appliance,control,core,coverage,interceptor,journals,nbd,oracle,records,sim,store,synth,ui,wire";

/** And so do these of other folders. */
const ofOtherFolders = {
  bench: "!(process-tree|process-usage)",
  chaos: "{cut-judge,frame-proxy}",
  cli: "{command-alone,commands-reference,event-listening,group-table,progress-line,snapshot-order,trace-collector}",
  "cli/attach": "{found-export,kernel-client,mount-table}",
  host: "{faults,log-line,publish,redaction,system-words}",
  "host/node":
    "{boot-id,clock,disk-room,group-sync,local-time,part-compression,part-encryption,randomness,sorted-map,zstd-frame}",
  "points-proof": "told-order",
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
  "test/appliance/remote/crashes.test.ts",
  "test/interceptor/crashes.test.ts",
  "test/journals/bit-flips.test.ts",
  "test/store/collection-orders.test.ts",
  "test/synth/store-story.test.ts",
];

class LongWorkFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isFirst = ({ moduleId }: TestSpecification): boolean => begunFirst.some((path) => moduleId.endsWith(path));
    const projects = Map.groupBy(await super.sort(files), ({ project }) => project.name);
    return [...projects.values()].flatMap((all) => [...all.filter(isFirst), ...all.filter((one) => !isFirst(one))]);
  }
}

export default defineConfig({
  test: {
    // Real servers, files and clients: a process per file keeps descriptors and memory of one file from another's.
    pool: "forks",
    sequence: { sequencer: LongWorkFirst },
    // Two more than a small machine has processors: many tests wait, for a link to be given up or a program to come back.
    maxWorkers: 4,
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
        test: { ...short, name: "short", include: ["test/**/*.test.ts"], exclude: [longSuite, ...together] },
      },
      // Named so that it comes behind the other one: whatever process is free takes the next of its files.
      { extends: true, test: { ...short, name: "short-together", include: together, isolate: false } },
      { extends: true, test: { name: "long", include: [longSuite], testTimeout: 1_200_000 } },
    ],
  },
});
