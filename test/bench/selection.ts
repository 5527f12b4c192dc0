/** An option that takes several of a list of names, with commas between. */
import { UsageError } from "#src/cli/command.ts";

/** In the order of `known`, each once. */
export function chosen<Name extends string>(option: string, text: string, known: readonly Name[]): Name[] {
  const wanted = text.split(",");
  const unknown = wanted.find((name) => !known.some((one) => one === name));
  if (unknown !== undefined) throw new UsageError(`${option} takes ${known.join(", ")}, not '${unknown}'`);
  return known.filter((name) => wanted.includes(name));
}
