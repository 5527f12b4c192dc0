/** What was measured of the store, as docs/benchmarks/store.json holds it. */
import type { Provenance } from "./provenance.ts";
import { roundDown, roundUp } from "./rounding.ts";

export const storeCaseNames = ["image", "random-read", "reduction", "full-index", "collection"] as const;
export type StoreCaseName = (typeof storeCaseNames)[number];

export interface StoreGoal {
  readonly what: string;
  readonly unit: string;
  /** Judged by this very number, which is rounded to the side that is not ours. */
  readonly value: number;
  /** Of single rounds; absent where there is one number only. */
  readonly lowest?: number;
  readonly highest?: number;
  readonly bound: "at least" | "at most";
  readonly goal: number;
  readonly met: boolean;
  /** Where it was missed: why, as far as it is known. */
  readonly why?: string;
}

export interface StoreTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface StoreCaseFigures {
  readonly name: StoreCaseName;
  readonly title: string;
  readonly about: string;
  readonly tables: readonly StoreTable[];
  readonly goals: readonly StoreGoal[];
}

export interface StoreResults {
  readonly bench: "store";
  /** Known by their dates; a case says of which it is. */
  readonly runs: readonly Provenance[];
  readonly cases: readonly (StoreCaseFigures & { readonly run: string })[];
}

type GoalParts = Omit<StoreGoal, "met" | "value"> & { readonly value: number };

export function judged(parts: GoalParts): StoreGoal {
  const value = parts.bound === "at least" ? roundDown(parts.value, 2) : roundUp(parts.value, 2);
  const met = parts.bound === "at least" ? value >= parts.goal : value <= parts.goal;
  return { ...parts, value, met };
}

/** What was measured `now` takes the place of what was there of the same cases. */
export function mergeStoreResults(before: StoreResults | undefined, now: StoreResults): StoreResults {
  const cases = storeCaseNames.flatMap((name) => {
    const isIt = (one: StoreCaseFigures) => one.name === name;
    return now.cases.find(isIt) ?? before?.cases.find(isIt) ?? [];
  });
  const used = new Set(cases.map(({ run }) => run));
  const runs = [...(before?.runs ?? []), ...now.runs].filter(({ date }) => used.has(date));
  return { bench: "store", runs, cases };
}
