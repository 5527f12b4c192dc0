/**
 * All that a scrape says, as it was known at one moment. What a side that does not answer has told last is not among it: it would
 * be taken for how things stand.
 */
import type { GroupFacts, RemoteGroupFacts, RoleName, StoreFacts, VolumeFacts } from "../role.ts";
import type { LastDrill, LastJob, VolumeMeasures } from "./measures.ts";

export interface MeasuredVolume extends VolumeFacts {
  /** Of one that is open. */
  readonly measures?: VolumeMeasures;
}

/** A certificate that others are shown. */
export interface CertificateTerm {
  readonly use: "nbd" | "wire" | "http";
  readonly endsMs: number;
}

/** What the configuration promises. */
export interface PromisedTerms {
  /** `Infinity`: everything is kept. */
  readonly keepSeconds: number;
  /** `Infinity`: never by itself. */
  readonly scrubSeconds: number;
}

export interface MetricsSnapshot {
  readonly version: string;
  readonly runtime: string;
  readonly roles: readonly { readonly role: RoleName; readonly isUp: boolean }[];
  readonly isReady: boolean;
  readonly problemCount: number;
  readonly volumes: readonly MeasuredVolume[];
  /** Of sources into journals, also by volumes that were closed since. */
  readonly copiedBytes: number;
  readonly groups: readonly GroupFacts[];
  readonly remoteGroups: readonly RemoteGroupFacts[];
  readonly store: StoreFacts | undefined;
  readonly drills: readonly LastDrill[];
  readonly jobs: readonly LastJob[];
  readonly certificates: readonly CertificateTerm[];
  readonly terms: PromisedTerms;
}
