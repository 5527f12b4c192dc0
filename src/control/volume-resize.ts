/**
 * What decides over a volume's new size: whether it may be resized now, and what its source has to be brought to. Pure.
 *
 * | step                                                       | a crash behind it leaves                                     |
 * | ---------------------------------------------------------- | ------------------------------------------------------------ |
 * | it is refused, or hosts are hung up on and the volume ends | the volume as it was                                         |
 * | the catalogue says, durably, what it is resized to         | an order, which the next start carries out with these steps: |
 * | the source is cut or made longer, where it is a file       | a source of the new size, which is left as it is             |
 * | the region map is published anew for the new size          | a map of the new size, which is left as it is                |
 * | a `resize` record is durable, and the appliance's state    | an appliance that knows the size, or says so once more       |
 * | the export opens                                           | hosts may have written already: nothing of it is touched     |
 * | the catalogue has the new size                             | the volume with its new size                                 |
 */
import { blockBytes } from "#src/core/limits.ts";
import type { VolumeDefinition, VolumeState } from "./role.ts";

/** `remote`: an export of an NBD server. Only a file is made longer or shorter by whoever wants it so. */
export interface SourceLook {
  readonly kind: "file" | "device" | "remote";
  readonly sizeBytes: number;
}

export interface ResizeFacts {
  readonly name: string;
  readonly sizeBytes: number;
  readonly wantedBytes: number;
  readonly state: VolumeState;
  readonly isCopying: boolean;
  /** Of hosts. */
  readonly connections: number;
  readonly source: string;
  /** Undefined: it cannot be looked at while the volume has it. */
  readonly look: SourceLook | undefined;
}

/** Why a volume is not resized now, and what to do; undefined: it is. */
export function resizeRefusal(facts: ResizeFacts): string | undefined {
  const { name, sizeBytes, wantedBytes, state, isCopying, connections, source, look } = facts;
  // A volume whose source was made larger behind its back cannot be opened any more in any other way.
  const hasSizeAlready = mayBeUnopened.has(state) && look?.sizeBytes === wantedBytes;
  if (state !== "open" && !hasSizeAlready) {
    return `volume '${name}' is ${state}, and only one that is open is resized: ${advice[state]}`;
  }
  if (isCopying) return `volume '${name}' is being copied into the journal: wait until that has ended`;
  if (wantedBytes < sizeBytes) {
    if (connections > 0)
      return `volume '${name}' is attached, and is not made smaller meanwhile: detach it from its hosts`;
    if (wantedBytes % blockBytes !== 0) {
      return `a volume is cut between its blocks: the size must be a multiple of ${blockBytes} bytes`;
    }
  }
  if (look === undefined) return undefined;
  return fitOf(look, { source, previousBytes: sizeBytes, wantedBytes }).why;
}

const mayBeUnopened: ReadonlySet<VolumeState> = new Set(["opening", "failed", "fenced"]);

const advice: Readonly<Record<Exclude<VolumeState, "open">, string>> = {
  opening: "wait until it is",
  redoing: "wait until it is",
  failed: "its state says why it is not",
  stalled: "wait until its local appliance is back",
  tracking: "wait until it is protected again",
  full: "make room for what its state names",
  fenced: "repair its source and unfence it",
  stopped: "add it again",
};

/**
 * `ready`: the source has the size. `truncate`: it is to get it. `keep`: it cannot get it, so that the volume keeps its
 * own. `refuse`: it has neither, and nobody knows what was done to it.
 */
export type Fit =
  | { readonly kind: "ready" | "truncate"; readonly why?: undefined }
  | { readonly kind: "keep" | "refuse"; readonly why: string };

export function fitOf(
  { kind, sizeBytes }: SourceLook,
  { source, previousBytes, wantedBytes }: { source: string; previousBytes: number; wantedBytes: number },
): Fit {
  if (sizeBytes === wantedBytes) return { kind: "ready" };
  if (kind === "file") {
    if (sizeBytes === previousBytes) return { kind: "truncate" };
    const why = `${source} has ${sizeBytes} bytes, neither the ${previousBytes} of the volume nor ${wantedBytes}: bring it to one of them`;
    return { kind: "refuse", why };
  }
  const what = kind === "device" ? "a block device" : "an export of another server";
  const why = `${source} is ${what} and has ${sizeBytes} bytes: give it ${wantedBytes}, and then resize the volume`;
  if (sizeBytes === previousBytes) return { kind: "keep", why };
  return { kind: "refuse", why: `${why}, or resize it to the ${sizeBytes} bytes that its source has` };
}

/** What the catalogue says when the resize has come to its end. */
export function resized({ resizeTo, ...volume }: VolumeDefinition): VolumeDefinition {
  if (resizeTo === undefined || resizeTo === volume.sizeBytes) return volume;
  return { ...volume, sizeBytes: resizeTo, previousBytes: volume.sizeBytes };
}

/** What it says when nothing came of it. */
export function unresized({ resizeTo, ...volume }: VolumeDefinition): VolumeDefinition {
  return volume;
}
