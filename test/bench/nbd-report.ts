/** The figures of a run in words and tables. */
import { table } from "./markdown.ts";
import type { CaseFigures, Comparison, NbdResults, PlaceDescription, ServerFigures } from "./nbd-results.ts";

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
  return [
    provenance(results),
    verdict(results),
    ...results.places.map((place) => placeSection(place, results.cases)),
    ["### Latency and cost", detailTable(results.cases)].join("\n\n"),
  ].join("\n\n");
}

function provenance({ date, commit, command, machine, rounds, secondsPerRound }: NbdResults): string {
  const programs = Object.entries(machine.programs).map(([program, version]) => `${program} ${version}`);
  const memory = `${(machine.memoryBytes / GiB).toFixed(0)} GiB of memory`;
  return [
    `\`${command}\` on ${date.slice(0, 10)}, commit ${commit}:`,
    `${rounds} counted ${rounds === 1 ? "round" : "rounds"} of ${secondsPerRound} s per case and server.`,
    `${machine.processor}, ${machine.processorCount} processors, ${memory}, ${machine.kernel};`,
    `${programs.join(", ")}.`,
    `Load average before the run: ${machine.loadAverage}.`,
  ].join("\n");
}

/** Counts every goal, memory included, and names those that were missed. */
function verdict({ cases, memoryPeakBytesGoal }: NbdResults): string {
  const ratios = cases.flatMap((one) =>
    one.comparisons
      .filter(({ goal }) => goal !== null)
      .map((comparison) => ({ met: comparison.met === true, text: missed(one, comparison) })),
  );
  const own = cases.map((one) => one.servers[0]?.memoryPeakBytes ?? 0);
  const peakBytes = Math.max(...own);
  const memory = {
    met: peakBytes < memoryPeakBytesGoal,
    text: `- peak memory: ${megabytes(peakBytes)} MB, where less than ${megabytes(memoryPeakBytesGoal)} MB is the goal`,
  };
  const goals = [...ratios, memory];
  const failures = goals.filter(({ met }) => !met);
  const count = `Goals met: ${goals.length - failures.length} of ${goals.length}.`;
  const peak = `The most memory that Tidemark had resident in any case: ${megabytes(peakBytes)} MB.`;
  if (failures.length === 0) return `${count} ${peak}`;
  return [`${count} ${peak} Missed:`, "", ...failures.map(({ text }) => text)].join("\n");
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

function factor(value: number): string {
  return `${value.toFixed(2)}×`;
}

/** Rounded up: a limit is not met by rounding. */
function megabytes(bytes: number): string {
  return Math.ceil(bytes / 1e6).toFixed(0);
}
