/** What a group says of itself to the remote appliance. */
import type { GroupHello } from "#src/wire/group-link.ts";
import type { GroupState } from "./group-state.ts";
import type { Spool } from "./spool.ts";

export function helloOf(
  { id, name, life, epoch }: GroupState,
  { firstSeq, lastSeq }: Pick<Spool, "firstSeq" | "lastSeq">,
  writer: Pick<GroupHello, "writer" | "bootId">,
): GroupHello {
  return {
    ...writer,
    group: id,
    groupName: name,
    life,
    // The one that is to begin, also before its record is made: it never goes back, whatever is fetched meanwhile.
    epoch,
    // An empty spool has neither a first nor a last record.
    firstSeq: lastSeq === 0 ? 0 : firstSeq,
    lastSeq,
  };
}
