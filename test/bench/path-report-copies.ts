/** What copying a source into the order takes, in words and tables. */
import type { BesideCopyFigures, InitialCopyFigures, ResyncFigures } from "./copy-results.ts";
import { table } from "./markdown.ts";
import { comparedText, factor, type Goal, placeTitles } from "./path-words.ts";
import { median } from "./rounds.ts";

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

type Source = Pick<InitialCopyFigures, "sourceBytes" | "dataBytes">;

function sourceText({ sourceBytes, dataBytes }: Source): string {
  return `a source of ${sourceBytes / GiB} GiB, of which ${dataBytes / GiB} GiB are data and the rest holes`;
}

export function initialCopyGoals({ places, peer }: InitialCopyFigures): Goal[] {
  return places.map(({ place, comparison: { ratio, goal, met } }) => ({
    met,
    text: `${placeTitles[place]}, the first copy: ${factor(ratio)} the speed of ${peer}, where at least ${goal} is the goal`,
  }));
}

export function initialCopyText(figures: InitialCopyFigures): string {
  const { peer, dataBytes, places } = figures;
  const about = [
    `${capital(sourceText(figures))}, in one file: by tidemark in async,`,
    "all roles in one process, from when the volume is added until it has points and the remote has all durably; and by",
    "nbdcopy from the same file to a new one beside it, by nbdkit's file plugin at a Unix socket, with a FLUSH in the end. On",
    "the disk both begin with cold caches. _Written_ is what the disk was given for each byte of data.",
  ].join("\n");
  const cells = (seconds: readonly number[]) => [
    median(seconds).toFixed(1),
    `${Math.min(...seconds).toFixed(1)} to ${Math.max(...seconds).toFixed(1)}`,
    `${(dataBytes / MiB / median(seconds)).toFixed(0)} MiB/s`,
  ];
  const rows = places.flatMap((one) => [
    [
      `${placeTitles[one.place]}: tidemark`,
      ...cells(one.ownSeconds),
      comparedText(one.comparison),
      one.cpuMsPerMebibyte.toFixed(1),
      one.place === "disk" ? one.writtenPerByte.toFixed(2) : "–",
    ],
    [`${placeTitles[one.place]}: ${peer}`, ...cells(one.peerSeconds), "–", "–", "–"],
  ]);
  const header = ["Copied by", "seconds", "lowest to highest", "data", "to that", "CPU ms per MiB", "written"];
  return `${about}\n\n${table(header, rows)}`;
}

export function besideCopyGoals({ comparison: { ratio, goal, met } }: BesideCopyFigures): Goal[] {
  const text = `writes beside the first copy: ${factor(ratio)} of what they are without, where at least ${goal} is the goal`;
  return [{ met, text }];
}

export function besideCopyText(figures: BesideCopyFigures): string {
  const { seconds, comparison, besideIops, aloneIops, copiedBytesPerSecond } = figures;
  const about = [
    `4 KiB random writes at depth 32 to the full part of ${sourceText(figures)},`,
    `on the disk, for ${seconds} s: while it is copied, and to the same volume when that is done.`,
  ].join("\n");
  const rate = (iops: readonly number[]) => `${(median(iops) / 1000).toFixed(1)} k/s`;
  const rows = [
    [
      "while it is copied",
      rate(besideIops),
      figures.besideLatencyP50Us.toFixed(0),
      figures.besideLatencyP999Us.toFixed(0),
      `${(copiedBytesPerSecond / MiB).toFixed(0)} MiB/s`,
    ],
    ["without", rate(aloneIops), figures.aloneLatencyP50Us.toFixed(0), figures.aloneLatencyP999Us.toFixed(0), "–"],
  ];
  const header = ["Writes", "rate", "p50 µs", "p99.9 µs", "copied, with holes"];
  return `${about}\n\n${table(header, rows)}\n\nThe rate beside the copy to that without: ${comparedText(comparison)}.`;
}

export function resyncGoals({ cases, goal }: ResyncFigures): Goal[] {
  return cases.map(({ title, readShare, shippedShare, met }) => ({
    met,
    text: [
      `a resync, regions ${title}: ${percent(readShare)} of the volume read, ${percent(shippedShare)} shipped,`,
      `where at most ${percent(goal)} is the goal`,
    ].join(" "),
  }));
}

export function resyncText({ volumeBytes, goal, cases }: ResyncFigures): string {
  const about = [
    `A volume of ${volumeBytes / GiB} GiB without holes, of which a hundredth of the regions was written, 4 KiB in each, while the`,
    "appliance was away; then it comes back. Counted is what nbdkit, which serves the source, is asked to read, and all that goes",
    `through the socket between local and remote appliance, either way; at most ${percent(goal)} of the volume is the goal for each.`,
  ].join("\n");
  const rows = cases.map(({ title, writtenRegions, writtenShare, readShare, shippedShare, met }) => [
    title,
    `${writtenRegions}`,
    percent(writtenShare),
    percent(readShare),
    percent(shippedShare),
    met ? "met" : "**missed**",
  ]);
  const header = ["Written regions", "number", "of the volume", "read", "shipped", "goal"];
  return `${about}\n\n${table(header, rows)}`;
}

/** Given and rounded in hundredths of a percent. */
function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
