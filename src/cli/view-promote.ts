/** `tidemark view promote`. */
import { resolve } from "node:path";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import { wantedModes } from "#src/control/role.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";
import { workingFolder } from "#src/host/node/environment.ts";
import { ApiClient, apiOptions } from "./api-client.ts";
import { parseCommandLine, UsageError } from "./command.ts";
import { copyExport } from "./export-copy.ts";
import { begunText, endOfJob } from "./job-following.ts";

export const promoteOptions = {
  ...apiOptions,
  source: { type: "string" },
  at: { type: "string" },
  group: { type: "string" },
  mode: { type: "string" },
  "keep-view": { type: "boolean" },
} as const;

export async function promote(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, promoteOptions);
  const [name, volume, ...more] = positionals;
  if (name === undefined || volume === undefined || more.length > 0 || values.source === undefined) {
    throw new UsageError("view promote takes NAME, VOLUME and --source PATH; 'tidemark view --help' tells more");
  }
  const { mode } = values;
  if (mode !== undefined && !wantedModes.some((one) => one === mode)) {
    throw new UsageError(`--mode is ${wantedModes.join(" or ")}, not '${mode}'`);
  }
  const source = resolve(workingFolder(), values.source);
  const api = new ApiClient(values);
  const copiedBytes =
    values.at === undefined ? await copiedByJob(api, name, source) : await copiedHere(api, name, source);
  if (copiedBytes === undefined) return 1;
  const report = await added(values, { name: volume, source });
  const isKept = values["keep-view"] === true;
  if (!isKept) await api.ask("DELETE", ["views", name], { flags: ["discard"] });
  else if (values.at === undefined) await api.ask("POST", ["views", name, "open"], { body: {} });
  if (values.json === true) process.stdout.write(`${JSON.stringify(report)}\n`);
  else
    process.stdout.write(
      `${volume} is open with ${roundedByteSize(copiedBytes)} of ${name}: ${report.uris.join(" ")}\n`,
    );
  return 0;
}

/** Answers how many bytes it wrote; undefined: whoever waits does so no longer, and it goes on by itself. */
async function copiedByJob(api: ApiClient, name: string, source: string): Promise<number | undefined> {
  const begun = (await api.ask("POST", ["views", name, "copies"], { body: { target: source } })) as JobReport;
  const job = await endOfJob(begun, api);
  if (job === undefined) {
    process.stderr.write(`tidemark: ${begunText(begun)}; the same command again waits for it, and makes the volume\n`);
    return undefined;
  }
  const { state, why, result } = job;
  if (state !== "done")
    throw new Error(
      `job ${job.id}, which copies view '${name}', ${state === "cancelled" ? "is" : "has"} ${state}${why === undefined ? "" : `: ${why}`}`,
    );
  if (result?.isSound !== true) {
    throw new Error(
      `not all of view '${name}' could be copied, and no volume is made of it; 'tidemark job show ${job.id}' tells more`,
    );
  }
  return result.figures.writtenBytes ?? 0;
}

/** Where the file is on another machine than the view. Does not go on when it is interrupted. */
async function copiedHere(api: ApiClient, name: string, source: string): Promise<number> {
  const view = (await api.ask("GET", ["views", name])) as ViewFacts;
  checkCalm(view);
  const copiedBytes = await copyExport(view.uri, source);
  // Whoever came meanwhile may have written behind what was copied.
  const { changes } = (await api.ask("GET", ["views", name])) as ViewFacts;
  if (changes === view.changes) return copiedBytes;
  throw new Error(`view '${name}' was written to while it was copied; ${source} is of before`);
}

async function added(
  values: ReturnType<typeof parseCommandLine<typeof promoteOptions>>["values"],
  body: { readonly name: string; readonly source: string },
): Promise<VolumeReport> {
  const { at, group, mode } = values;
  const interceptor = new ApiClient(at === undefined ? values : { ...values, api: at });
  const more = { ...(group === undefined ? {} : { group }), ...(mode === undefined ? {} : { mode }) };
  try {
    return (await interceptor.ask("POST", ["volumes"], { body: { ...body, ...more } })) as VolumeReport;
  } catch (error) {
    const kept = `the copy is whole in ${body.source}, and 'tidemark volume add' takes it`;
    throw new Error(`${(error as Error).message}; ${kept}`, { cause: error });
  }
}

function checkCalm({ name, state, connections }: ViewFacts): void {
  if (state !== "open") throw new Error(`view '${name}' is ${state}`);
  if (connections > 0) {
    throw new Error(
      `view '${name}' has ${connections} clients, who could write behind what is copied: let them leave first`,
    );
  }
}
