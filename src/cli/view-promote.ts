/**
 * `tidemark view promote`: a copy, a volume over it, and the end of the view, one after the other. Whatever ends it between these, the
 * same command again finds what was done by looking, and goes on from there: nothing is noted.
 */
import { resolve } from "node:path";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import { wantedModes } from "#src/control/role.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";
import { workingFolder } from "#src/host/node/environment.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { ApiClient, apiOptions } from "./api-client.ts";
import { parseCommandLine, UsageError } from "./command.ts";
import { bytesAlike } from "./export-comparison.ts";
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
  const interceptor = values.at === undefined ? api : new ApiClient({ ...values, api: values.at });
  const wanted = { name: volume, source };
  const known = await volumeOver(interceptor, wanted);
  const view = await viewOf(api, name);
  if (view === undefined && known !== undefined) return told(values, known, `what view '${name}' had`);
  const copied =
    values.at === undefined ? copiedByJob(api, name, wanted, known, view) : copiedHere(api, name, wanted, known);
  const copiedBytes = await copied;
  if (copiedBytes === undefined) return 1;
  const report = known ?? (await added(interceptor, values, wanted));
  const isKept = values["keep-view"] === true;
  if (!isKept) await api.ask("DELETE", ["views", name], { flags: ["discard"] });
  else if (values.at === undefined) await api.ask("POST", ["views", name, "open"], { body: {} });
  return told(values, report, `${roundedByteSize(copiedBytes)} of ${name}`);
}

type PromoteValues = ReturnType<typeof parseCommandLine<typeof promoteOptions>>["values"];

interface WantedVolume {
  readonly name: string;
  readonly source: string;
}

function told({ json }: PromoteValues, volume: VolumeReport, what: string): number {
  const text = `${volume.name} is open with ${what}: ${volume.uris.join(" ")}`;
  process.stdout.write(`${json === true ? JSON.stringify(volume) : text}\n`);
  return 0;
}

/** Undefined: there is none yet. Whether it was made of the view this does not say. */
async function volumeOver(interceptor: ApiClient, { name, source }: WantedVolume): Promise<VolumeReport | undefined> {
  const { volumes } = (await interceptor.ask("GET", ["volumes"])) as { readonly volumes: readonly VolumeReport[] };
  return volumes.find((volume) => volume.name === name && volume.source === source);
}

async function viewOf(api: ApiClient, name: string): Promise<ViewFacts | undefined> {
  const { views } = (await api.ask("GET", ["views"])) as { readonly views: readonly ViewFacts[] };
  return views.find((view) => view.name === name);
}

/** Answers how many bytes it wrote; undefined: whoever waits does so no longer, and it goes on by itself. */
async function copiedByJob(
  api: ApiClient,
  name: string,
  { name: volume, source }: WantedVolume,
  known: VolumeReport | undefined,
  view: ViewFacts | undefined,
): Promise<number | undefined> {
  // What was copied was put away for that: one that has its export again, or has it still, is another matter.
  if (known !== undefined && view?.state !== "put away") throw isThereAlready(name, { name: volume, source });
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

/** Where the file is on another machine than the view. Begins anew when it was interrupted before the copy was whole. */
async function copiedHere(
  api: ApiClient,
  name: string,
  wanted: WantedVolume,
  known: VolumeReport | undefined,
): Promise<number> {
  const view = (await api.ask("GET", ["views", name])) as ViewFacts;
  checkCalm(view);
  // Whoever came meanwhile may have written behind what was copied.
  const checkSame = async (): Promise<void> => {
    const { changes } = (await api.ask("GET", ["views", name])) as ViewFacts;
    if (changes !== view.changes) throw new Error(`view '${name}' was written to while it was copied: try it again`);
  };
  if (!nodeFiles.exists(wanted.source)) return await copyExport(view.uri, wanted.source, checkSame);
  const dataBytes = await bytesAlike(view.uri, wanted.source);
  if (dataBytes === undefined && known !== undefined) throw isThereAlready(name, wanted);
  if (dataBytes === undefined) {
    throw new Error(`${wanted.source} is there already, and holds something else than view '${name}'`);
  }
  await checkSame();
  return dataBytes;
}

function isThereAlready(view: string, { name, source }: WantedVolume): Error {
  const left = `if it was made of view '${view}', 'tidemark view close ${view} --discard' is all that is left to do`;
  return new Error(`there is a volume '${name}' over ${source} already; ${left}`);
}

async function added(
  interceptor: ApiClient,
  { group, mode }: PromoteValues,
  wanted: WantedVolume,
): Promise<VolumeReport> {
  const more = { ...(group === undefined ? {} : { group }), ...(mode === undefined ? {} : { mode }) };
  try {
    return (await interceptor.ask("POST", ["volumes"], { body: { ...wanted, ...more } })) as VolumeReport;
  } catch (error) {
    const kept = `the copy is whole in ${wanted.source}, and the same command again goes on with it`;
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
