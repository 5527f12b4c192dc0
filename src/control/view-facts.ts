/** What is told of a view, of all that is known of it. */
import { blockBytes } from "#src/core/limits.ts";
import { recordTimeText } from "#src/core/record-time.ts";
import type { ViewDefinition, ViewFacts, ViewFigures, ViewState } from "./view.ts";

export function viewFacts(
  view: ViewDefinition,
  uri: string,
  { isOpen, failure }: { readonly isOpen: boolean; readonly failure: string | undefined },
  figures: ViewFigures | undefined,
): ViewFacts {
  const why = failure ?? figures?.writeFailure;
  return {
    ...{ name: view.name, volume: view.volumeName, group: view.groupName, seq: view.seq },
    time: recordTimeText(view.timeMicros),
    writable: view.isWritable,
    leased: view.isLeased === true,
    state: stateOf(view, isOpen, failure),
    ...(why === undefined ? {} : { why }),
    opened: new Date(view.openedMs).toISOString(),
    uri,
    ...(figures === undefined ? {} : { sizeBytes: figures.sizeBytes }),
    connections: isOpen ? (figures?.connections ?? 0) : 0,
    writtenBytes: (figures?.writtenBlocks ?? 0) * blockBytes,
    changes: figures?.changes ?? 0,
    findings: figures?.findings ?? [],
  };
}

function stateOf({ isPutAway }: ViewDefinition, isOpen: boolean, failure: string | undefined): ViewState {
  if (isPutAway) return "put away";
  if (isOpen) return "open";
  return failure === undefined ? "opening" : "failed";
}
