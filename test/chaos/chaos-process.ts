/** Runs `chaos-run.ts`, and nothing else, as vitest does a test; ends with status 1 where it has failed. */
import { join } from "node:path";
import { startVitest } from "vitest/node";

const file = join(import.meta.dirname, "chaos-run.ts");

const vitest = await startVitest([file], {
  ...{ run: true, watch: false, config: false, root: join(import.meta.dirname, "../.."), include: [file] },
  ...{ pool: "forks", reporters: [{}], disableConsoleIntercept: true, hookTimeout: 600_000, teardownTimeout: 600_000 },
  execArgv: ["--disable-warning=ExperimentalWarning"],
});
for (const error of vitest.state.getUnhandledErrors()) console.error(error);
await vitest.close();
