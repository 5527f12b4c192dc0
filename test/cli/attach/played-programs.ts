/** Programs of a machine that is only played: what they answer is told, and what was run is noted. */
import type { ProgramEnding, Programs } from "#src/host/programs.ts";

const done: ProgramEnding = { status: 0, isLate: false, output: "", words: "" };
export const late: ProgramEnding = { status: undefined, isLate: true, output: "", words: "" };
export const failing = (words: string, status = 1): ProgramEnding => ({ status, isLate: false, output: "", words });

export class PlayedPrograms implements Programs {
  readonly isRoot = true;
  readonly processId = 55;
  /** Each as it would be typed. */
  readonly lines: string[] = [];
  readonly killed: number[] = [];
  readonly texts = new Map<string, string>();
  readonly folders = new Map<string, string[]>();
  readonly #answers: readonly (readonly [pattern: RegExp, answer: ProgramEnding | (() => ProgramEnding)])[];

  constructor(answers: readonly (readonly [RegExp, ProgramEnding | (() => ProgramEnding)])[] = []) {
    this.#answers = answers;
  }

  async run(program: string, programArguments: readonly string[]): Promise<ProgramEnding> {
    const line = [program, ...programArguments].join(" ");
    this.lines.push(line);
    const [, answer = done] = this.#answers.find(([pattern]) => pattern.test(line)) ?? [];
    return typeof answer === "function" ? answer() : answer;
  }

  startDaemon(): never {
    throw new Error("no daemon is started here");
  }

  kill(processId: number): void {
    this.killed.push(processId);
  }

  textOf(path: string): string | undefined {
    return this.texts.get(path);
  }

  saveText(path: string, text: string): void {
    this.texts.set(path, text);
  }

  namesIn(path: string): string[] {
    return this.folders.get(path) ?? [];
  }

  makeTemporaryFolder(): never {
    throw new Error("no such folder is made here");
  }

  makeFolder(): void {}

  removeFolder(path: string): void {
    this.lines.push(`(removed ${path})`);
  }
}
