/** What a command that is run on a view finds in its environment. */
import type { ViewFacts } from "./view.ts";

export function viewEnvironment({ uri, name, volume, seq, time }: ViewFacts): Record<string, string> {
  return {
    TIDEMARK_URI: uri,
    TIDEMARK_VIEW: name,
    TIDEMARK_VOLUME: volume,
    TIDEMARK_SEQ: String(seq),
    TIDEMARK_TIME: time,
  };
}
