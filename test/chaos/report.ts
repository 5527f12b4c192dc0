/** What a run came to. */
import type { Replayed } from "./calm-judge.ts";

export interface ChaosReport {
  readonly seed: number;
  /** What kind of world was drawn, in words. */
  readonly world: string;
  /** Of chaos; what is made before and judged after takes longer. */
  readonly minutes: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Modes, levels, marks, snapshots and so on that were ordered. */
  readonly deeds: Readonly<Record<string, number>>;
  /** How often everything was undone, and all of it judged. */
  readonly calms: number;
  /** Points of which every block was judged, restores, and views on which the database recovered. */
  readonly points: number;
  readonly restores: number;
  readonly databaseViews: number;
  /** Points that could not be read while something was done to the sites. */
  readonly refused: number;
  readonly writes: number;
  readonly commits: number;
  /** Commits that had to be there on a view, counted for each. */
  readonly promisedCommits: number;
  /** Frames that were to be altered, and that were. */
  readonly frames: { readonly ordered: number; readonly done: number };
  readonly replayed: Replayed;
  /** Alarms that were waited for, by name; each has cleared afterwards. */
  readonly alarms: Readonly<Record<string, number>>;
  /** Those that had to fire since a program told of their reason for long enough, and have. */
  readonly alarmsHeld: Readonly<Record<string, number>>;
  /** The most that each program had. */
  readonly resources: string;
  readonly failures: readonly string[];
  /** Where everything lies, if anything has failed. */
  readonly folder?: string;
}

function counted(counts: Readonly<Record<string, number>>): string {
  const all = Object.entries(counts).sort(([a], [b]) => a.localeCompare(b));
  return all.map(([name, count]) => `  ${String(count).padStart(5)}  ${name}`).join("\n") || "      0";
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

export function describeReport(report: ChaosReport): string {
  const { seed, minutes, faults, deeds, failures, folder, frames, replayed } = report;
  const points = `${report.points} points of stamps and ${report.restores} restores judged, ${report.refused} refused in between`;
  const database = `${report.commits} commits, ${report.databaseViews} views recovered, with ${report.promisedCommits} promised`;
  return [
    `Seed ${seed} (${report.world}), ${minutes.toFixed(1)} minutes: ${sumOf(faults)} faults, ${report.calms} times calm`,
    counted(faults),
    `${sumOf(deeds)} orders:`,
    counted(deeds),
    `${report.writes} writes; ${points}.`,
    `Database: ${database}.`,
    `${frames.done} of ${frames.ordered} orders to alter a frame were carried out.`,
    `Journals: ${replayed.records} records of ${replayed.journals} replayed, ${replayed.whole} of them from their first on.`,
    `Alarms that were waited for:\n${counted(report.alarms)}`,
    `Alarms that had a reason for some seconds, by what programs told:\n${counted(report.alarmsHeld)}`,
    `The most they had: ${report.resources || "nothing was looked at"}.`,
    failures.length === 0 ? "Nothing failed." : `FAILED:\n${failures.map((one) => `  - ${one}`).join("\n")}`,
    ...(folder === undefined ? [] : [`What is left of it: ${folder}`]),
  ].join("\n");
}
