/** What becomes of what was written to a view that is closed: it is thrown away only where somebody says so. */
import { RefuseError } from "#src/core/errors.ts";
import type { ViewDefinition, ViewFigures } from "./view.ts";

/** It is put away with it, it goes too, or there must be none. `tried`: it goes, unless somebody has put the leased view away since. */
export type ViewClosing = "kept" | "discarded" | "unwritten" | "tried" | ViewAsCopied;

/** It goes if it is as it was when it was copied: open, and written to so often; or put away for a copy to there, and not opened since. */
export type ViewAsCopied = { readonly changes: number } | { readonly copiedTo: string };

const discard = "--discard throws that away";

/** Undefined: nothing was written to it. `figures`: as they are now, of one that is open; where nobody has any there may be something. */
export function refusalToLose(
  { name, isWritable, isPutAway }: ViewDefinition,
  figures: ViewFigures | undefined,
): RefuseError | undefined {
  if (!isWritable || figures?.changes === 0) return undefined;
  if (isPutAway) return new RefuseError(`view '${name}' is put away, with what was written to it: ${discard}`);
  return refusalOfWritten(name, figures === undefined ? "is not open, and may have been written to" : undefined);
}

export function refusalOfChanged(name: string): RefuseError {
  return new RefuseError(
    `view '${name}' is not as it was when it was copied, and stays: look at what was written to it`,
  );
}

export function refusalOfWritten(name: string, what = "was written to"): RefuseError {
  return new RefuseError(`view '${name}' ${what}: ${discard}, --keep puts it away until it is opened again`);
}
