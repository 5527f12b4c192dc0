/**
 * `tidemark view promote`: a copy, a volume over it, and the end of the view, one after the other. Whatever ends it between these, the
 * same command again finds what was done by looking, and goes on from there. All that is noted is which view a volume was made of,
 * with the volume itself: when the view is gone nothing else says so.
 */
import { resolve } from "node:path";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { JobReport } from "#src/control/job.ts";
import { checkName } from "#src/control/name.ts";
import { wantedModes } from "#src/control/role.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";
import { nearestName } from "#src/core/nearest-name.ts";
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
  // What is refused at the end is better refused before all is copied.
  checkName(volume, "a volume's name");
  checkName(values.group ?? volume, "a group's name");
  const source = resolve(workingFolder(), values.source);
  const api = new ApiClient(values);
  const interceptor = values.at === undefined ? api : new ApiClient({ ...values, api: values.at });
  const wanted = { name: volume, source };
  const known = await volumeOver(interceptor, wanted);
  const { view, nearest } = await viewOf(api, name);
  const isMade = known !== undefined && isMadeOf(known, name, view);
  if (isMade && isOver(view, values)) return told(values, known, whatHad(name));
  if (view === undefined) throw noView(name, nearest, known);
  if (known !== undefined && !isMade) throw isThereAlready(view, known);
  const isByJob = values.at === undefined;
  const copiedBytes = await (isByJob ? copiedByJob(api, view, wanted, known) : copiedHere(api, view, wanted, known));
  if (copiedBytes === undefined) return 1;
  const report = known ?? (await added(interceptor, values, wanted, view));
  const isKept = values["keep-view"] === true;
  if (isKept && isByJob) await api.ask("POST", ["views", name, "open"], { body: {} });
  if (!isKept) await closeCopied(api, view, report, isByJob);
  return told(values, report, copiedBytes === 0 ? whatHad(name) : `${roundedByteSize(copiedBytes)} of ${name}`);
}

type PromoteValues = ReturnType<typeof parseCommandLine<typeof promoteOptions>>["values"];

interface WantedVolume {
  readonly name: string;
  readonly source: string;
}

function whatHad(name: string): string {
  return `what view '${name}' had`;
}

function told({ json }: PromoteValues, volume: VolumeReport, what: string): number {
  const text = `${volume.name} is ${volume.state} with ${what}: ${volume.uris.join(" ")}`;
  process.stdout.write(`${json === true ? JSON.stringify(volume) : text}\n`);
  return 0;
}

/** Undefined: there is none yet. Throws where the name, or the source, is another volume's: no copy would be of use. */
async function volumeOver(interceptor: ApiClient, { name, source }: WantedVolume): Promise<VolumeReport | undefined> {
  const { volumes } = (await interceptor.ask("GET", ["volumes"])) as { readonly volumes: readonly VolumeReport[] };
  const named = volumes.find((volume) => volume.name === name);
  const there = volumes.find((volume) => volume.source === source);
  if (there !== undefined && there !== named) {
    throw new Error(`${source} is volume '${there.name}': name another file`);
  }
  if (named !== there) throw new Error(`there is a volume '${name}' already, over ${named?.source}: name another one`);
  return named;
}

interface FoundView {
  readonly view: ViewFacts | undefined;
  /** The name that was probably meant, where there is none. */
  readonly nearest: string | undefined;
}

async function viewOf(api: ApiClient, name: string): Promise<FoundView> {
  const { views } = (await api.ask("GET", ["views"])) as { readonly views: readonly ViewFacts[] };
  const names = views.map((view) => view.name);
  return { view: views.find((view) => view.name === name), nearest: nearestName(name, names) };
}

/** There may be another view of its name by now. */
function isMadeOf({ ofView }: VolumeReport, name: string, view: ViewFacts | undefined): boolean {
  return ofView?.name === name && (view === undefined || view.opened === ofView.opened);
}

/** Of a volume that was made: nothing is left to be done with its view. */
function isOver(view: ViewFacts | undefined, { "keep-view": isKept }: PromoteValues): boolean {
  return view === undefined || (isKept === true && view.state === "open");
}

function noView(name: string, nearest: string | undefined, known: VolumeReport | undefined): Error {
  const meant = nearest === undefined ? "" : `; did you mean '${nearest}'?`;
  const other = known && `, and volume '${known.name}' over ${known.source} was not made of one of that name`;
  return new Error(`there is no view '${name.slice(0, 64)}'${other ?? ""}${meant}`);
}

/** Answers how many bytes it wrote; undefined: whoever waits does so no longer, and it goes on by itself. */
async function copiedByJob(
  api: ApiClient,
  view: ViewFacts,
  { source }: WantedVolume,
  known: VolumeReport | undefined,
): Promise<number | undefined> {
  const { name } = view;
  // What was copied was put away for that: one that has its export again, or has it still, is another matter.
  if (known !== undefined && view.state !== "put away") throw isThereAlready(view, known);
  const begun = (await api.ask("POST", ["views", name, "copies"], { body: { target: source } })) as JobReport;
  const job = await endOfJob(begun, api);
  if (job === undefined) {
    process.stderr.write(`tidemark: ${begunText(begun)}; the same command again waits for it, and makes the volume\n`);
    return undefined;
  }
  const { state, why, result } = job;
  if (state !== "done") {
    const ending = `${state === "cancelled" ? "is" : "has"} ${state}${why === undefined ? "" : `: ${why}`}`;
    const more = `the view is put away, and 'tidemark view open ${name}' opens it again`;
    throw new Error(`job ${job.id}, which copies view '${name}', ${ending}; ${more}`);
  }
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
  view: ViewFacts,
  { source }: WantedVolume,
  known: VolumeReport | undefined,
): Promise<number> {
  const { name } = view;
  checkCalm(view);
  // Whoever came meanwhile may have written behind what was copied.
  const checkSame = async (): Promise<void> => {
    if (await isUnchanged(api, view)) return;
    throw new Error(`view '${name}' was written to while it was copied: try it again`);
  };
  if (!nodeFiles.exists(source)) return await copyExport(view.uri, source, checkSame);
  const dataBytes = await bytesAlike(view.uri, source);
  if (dataBytes === undefined && known !== undefined) throw isThereAlready(view, known);
  if (dataBytes === undefined) {
    throw new Error(`${source} is there already, and holds something else than view '${name}'`);
  }
  await checkSame();
  return dataBytes;
}

async function isUnchanged(api: ApiClient, view: ViewFacts): Promise<boolean> {
  return (await viewNow(api, view)).changes === view.changes;
}

async function viewNow(api: ApiClient, { name }: ViewFacts): Promise<ViewFacts> {
  return (await api.ask("GET", ["views", name])) as ViewFacts;
}

/**
 * One that was copied here has its export still, and any other one may have it again: whoever keeps it looks, and throws it away, in
 * one. What was written to it since is not lost.
 */
async function closeCopied(api: ApiClient, view: ViewFacts, volume: VolumeReport, isByJob: boolean): Promise<void> {
  const query = isByJob ? { copied: volume.source } : { changes: String(view.changes) };
  try {
    await api.ask("DELETE", ["views", view.name], { query });
  } catch (error) {
    throw Object.assign(isThereAlready(await viewNow(api, view), volume), { cause: error });
  }
}

function isThereAlready(view: ViewFacts, volume: VolumeReport): Error {
  return new Error(`there is a volume '${volume.name}' over ${volume.source} already; ${originOf(volume, view)}`);
}

function originOf(volume: VolumeReport, view: ViewFacts): string {
  const { name, state } = view;
  const close = `'tidemark view close ${name} --discard' is all that is left to do`;
  if (isMadeOf(volume, name, view)) {
    return `it was made of view '${name}', which is ${state}: if that holds nothing else that is wanted, ${close}`;
  }
  if (volume.ofView?.name === name) return "it was made of an earlier view of that name: name another volume";
  return `if it was made of view '${name}', ${close}`;
}

async function added(
  interceptor: ApiClient,
  { group, mode }: PromoteValues,
  wanted: WantedVolume,
  { name, opened }: ViewFacts,
): Promise<VolumeReport> {
  const more = { ...(group === undefined ? {} : { group }), ...(mode === undefined ? {} : { mode }) };
  const body = { ...wanted, ...more, ofView: { name, opened } };
  try {
    return (await interceptor.ask("POST", ["volumes"], { body })) as VolumeReport;
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
