/** What a command of the program is made of. */
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { nearestName } from "#src/core/nearest-name.ts";

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole help text, with an example. */
  readonly help: string;
  /** Returns the exit status: 0 done, 1 failed, 2 wrong use. */
  run(args: readonly string[]): Promise<number>;
}

/** Wrong use: said on stderr together with where to read on. */
export class UsageError extends Error {
  override name = "UsageError";
}

export function parseCommandLine<T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    // Node's own text is several sentences long and advises what does not help here.
    const [firstSentence] = (error as Error).message.split(/[.\n]/, 1);
    throw new UsageError(`${firstSentence}; ${adviceOn(firstSentence, options)}--help lists the options`);
  }
}

function adviceOn(complaint: string | undefined, options: ParseArgsOptionsConfig): string {
  const [, written] = /^Unknown option '(--[^']+)'/.exec(complaint ?? "") ?? [];
  const known = Object.keys(options).map((option) => `--${option}`);
  const nearest = written === undefined ? undefined : nearestName(written, known);
  return nearest === undefined ? "" : `did you mean '${nearest}'? `;
}

export function wholeNumber(text: string, what: string, range: { readonly min: number; readonly max: number }): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < range.min || value > range.max) {
    throw new UsageError(`${what} must be a whole number from ${range.min} to ${range.max}, not '${text}'`);
  }
  return value;
}
