/** What the region map costs, in words and tables. */
import { table } from "./markdown.ts";
import { comparedText, factor, type Goal } from "./path-words.ts";
import type { MapRates, RegionMapFigures } from "./region-map-results.ts";
import { median } from "./rounds.ts";

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

export function regionMapGoals({ warm: { comparison } }: RegionMapFigures): Goal[] {
  const { ratio, goal, met } = comparison;
  return [
    { met, text: `the region map, warm: ${factor(ratio)} of the rate without it, where at least ${goal} is the goal` },
  ];
}

export function regionMapText({ warm, cold }: RegionMapFigures): string {
  const about = [
    "The same program as it is, and with a map put in that does nothing, so that nobody waits for a mark and nothing is",
    `marked. _Warm_: 4 KiB random writes at depth 32 to a volume of ${warm.volumeBytes / GiB} GiB all of whose`,
    `regions are marked, in memory, in ${warm.with.iops.length} turns of ${warm.seconds} s. _Cold_, the worst case:`,
    `${cold.writes} writes of 4 KiB to a sparse volume of ${cold.volumeBytes / GiB} GiB, each to a region of`,
    `${cold.regionBytes / MiB} MiB that is not marked; the source is in memory, spool, journal and the map's file are on the`,
    "disk. Writes that wait at the same time share the sync of their marks.",
  ].join("\n");
  const rows = [
    row("warm, depth 32, with the map", warm.with, warm.without),
    row("warm, depth 32, without", warm.without),
    ...cold.loads.flatMap((load) => [
      row(`cold, depth ${load.depth}, with the map`, load.with, load.without),
      row(`cold, depth ${load.depth}, without`, load.without),
    ]),
  ];
  const header = ["Regions", "rate", "to that without", "p50 µs", "p99.9 µs", "CPU µs per write"];
  const words = `Warm, the rate with the map to that without: ${comparedText(warm.comparison)}.`;
  return `${about}\n\n${table(header, rows)}\n\n${words}`;
}

function row(title: string, rates: MapRates, other?: MapRates): string[] {
  const rate = median(rates.iops);
  return [
    title,
    `${(rate / 1000).toFixed(2)} k/s`,
    other === undefined ? "–" : factor(rate / median(other.iops)),
    rates.latencyP50Us.toFixed(0),
    rates.latencyP999Us.toFixed(0),
    rates.cpuUsPerIo.toFixed(1),
  ];
}
