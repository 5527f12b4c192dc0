/** What main.ts knows of a benchmark. */

export interface Bench {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  /** Measures, prints, and stores. */
  run(programArguments: readonly string[]): Promise<void>;
  /** This benchmark's section of docs/benchmarks.md, from the text of its JSON file. */
  format(json: string): string;
  /** A picture of the same, as SVG, for the section to show. */
  picture?(json: string): string;
}
