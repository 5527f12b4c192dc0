/** The figures of a run in words and tables. */
import type { CrowdFigures } from "./crowd.ts";
import { table } from "./markdown.ts";
import type { CaseFigures, Comparison, NbdResults, ServerFigures } from "./nbd-results.ts";
import type { PlaceDescription } from "./place.ts";
import { provenance } from "./provenance.ts";

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
/** From here on a case is told in bytes, since it is about moving them. */
const largeBlockBytes = 64 * 1024;

const placeTitles: Readonly<Record<string, string>> = {
  tmpfs: "In memory",
  disk: "On disk, cached",
  cold: "On disk, cold",
};

export function formatNbdResults(results: NbdResults): string {
  const { cases, crowd } = results;
  return [
    provenance(results),
    verdict(results),
    ...results.places.map((place) => placeSection(place, cases)),
    ...(cases.length > 0 ? ["### Latency and cost", detailTable(cases)] : []),
    ...(crowd === null ? [] : ["### Many connections", crowdTable(crowd)]),
  ].join("\n\n");
}

/** Counts every goal, and names those that were missed. */
function verdict(results: NbdResults): string {
  const goals = [...ratioGoals(results.cases), ...memoryGoals(results)];
  const failures = goals.filter(({ met }) => !met);
  const count = `Goals met: ${goals.length - failures.length} of ${goals.length}.`;
  if (failures.length === 0) return count;
  return [`${count} Missed:`, "", ...failures.map(({ text }) => text)].join("\n");
}

interface Goal {
  readonly met: boolean;
  /** What to say where it was missed. */
  readonly text: string;
}

function ratioGoals(cases: readonly CaseFigures[]): Goal[] {
  return cases.flatMap((one) =>
    one.comparisons
      .filter(({ goal }) => goal !== null)
      .map((comparison) => ({ met: comparison.met === true, text: missed(one, comparison) })),
  );
}

/** One for all cases of the comparison together, one for the crowd. */
function memoryGoals({ cases, crowd, memoryPeakBytesGoal }: NbdResults): Goal[] {
  const goal = (what: string, peakBytes: number) => ({
    met: peakBytes < memoryPeakBytesGoal,
    text: `- ${what}: ${megabytes(peakBytes)} MB of memory, where less than ${megabytes(memoryPeakBytesGoal)} MB is the goal`,
  });
  const peaks = cases.map((one) => one.servers[0]?.memoryPeakBytes ?? 0);
  return [
    ...(peaks.length > 0 ? [goal("under fio", Math.max(...peaks))] : []),
    ...(crowd === null ? [] : [goal(`${crowd.connections} connections`, crowd.memoryPeakBytes)]),
  ];
}

function missed({ place, title }: CaseFigures, { against, ratio, goal }: Comparison): string {
  return `- ${placeTitles[place] ?? place}, ${title}: ${factor(ratio)} of ${against}, where ${goal} is the goal`;
}

function placeSection(place: PlaceDescription, cases: readonly CaseFigures[]): string {
  const here = cases.filter((one) => one.place === place.name);
  const first = here[0];
  if (first === undefined) return "";
  const header = [
    "Case",
    ...first.servers.map(({ server }) => server),
    ...first.comparisons.flatMap(({ against }) => [`to ${against}`, "goal"]),
  ];
  const rows = here.map((one) => [
    one.title,
    ...one.servers.map((figures) => rate(figures, one.blockBytes)),
    ...one.comparisons.flatMap(comparisonCells),
  ]);
  const title = `### ${placeTitles[place.name] ?? place.name}`;
  const about = `A file of ${place.fileBytes / GiB} GiB on ${place.fileSystem}.`;
  return [title, about, table(header, rows)].join("\n\n");
}

function rate({ iopsMedian }: ServerFigures, blockBytes: number): string {
  if (blockBytes >= largeBlockBytes) return `${((iopsMedian * blockBytes) / MiB).toFixed(0)} MiB/s`;
  return `${(iopsMedian / 1000).toFixed(1)} k/s`;
}

function comparisonCells({ ratio, ratioLowest, ratioHighest, goal, met }: Comparison): readonly [string, string] {
  const verdict = goal === null ? "–" : `≥ ${goal} ${met ? "met" : "**missed**"}`;
  return [`${factor(ratio)} (${factor(ratioLowest)} to ${factor(ratioHighest)})`, verdict];
}

function detailTable(cases: readonly CaseFigures[]): string {
  const header = ["Case", "server", "p50 µs", "p99 µs", "p99.9 µs", "CPU µs per request", "peak memory MB"];
  const rows = cases.flatMap(({ place, title, servers }) =>
    servers.map((figures) => [
      `${placeTitles[place] ?? place}: ${title}`,
      figures.server,
      figures.latencyP50UsMedian.toFixed(0),
      figures.latencyP99UsMedian.toFixed(0),
      figures.latencyP999UsMedian.toFixed(0),
      figures.cpuUsPerIo.toFixed(1),
      megabytes(figures.memoryPeakBytes),
    ]),
  );
  return table(header, rows);
}

function crowdTable({ connections, ...figures }: CrowdFigures): string {
  const mebibytes = (bytes: number) => `${(bytes / MiB).toFixed(0)} MiB`;
  const rows = [
    ["connected, idle", megabytes(figures.memoryIdleBytes)],
    [
      `${mebibytes(figures.unfetchedBytes)} of reads asked for and not fetched`,
      megabytes(figures.memoryPeakReadsBytes),
    ],
    [`then ${mebibytes(figures.unfinishedBytes)} of writes begun and not ended`, megabytes(figures.memoryPeakBytes)],
  ];
  const figuresTable = table([`${connections} connections to tidemark`, "peak memory MB"], rows);
  const { measuredAlone } = figures;
  if (measuredAlone === undefined) return figuresTable;
  const { commit, date } = measuredAlone;
  return `${figuresTable}\n\nMeasured by itself on ${date.slice(0, 10)}, commit ${commit}.`;
}

function factor(value: number): string {
  return `${value.toFixed(2)}×`;
}

/** Rounded up: a limit is not met by rounding. */
function megabytes(bytes: number): string {
  return Math.ceil(bytes / 1e6).toFixed(0);
}
