/** What people call the groups and volumes of a store, as its documents of groups say it. */
import { StopError } from "#src/core/errors.ts";
import type { ReadableObjects } from "#src/store/objects.ts";
import type { FindingNames } from "#src/store/scrub-finding.ts";
import { decodeGroupDocument, type GroupDocument, groupDocumentName } from "./group-document.ts";
import { storedGroups } from "./stored-group.ts";

/** Where one is missing or damaged, its group's names are not known. */
export async function readVolumeNames(objects: Pick<ReadableObjects, "list" | "readDocument">): Promise<FindingNames> {
  const documents = new Map<string, GroupDocument>();
  for (const group of await storedGroups(objects)) {
    const document = await findDocument(objects, group);
    if (document !== undefined) documents.set(group, document);
  }
  return {
    group: (id) => documents.get(id)?.name,
    volume: (group, wanted) => documents.get(group)?.volumes.find(({ number }) => number === wanted)?.name,
  };
}

async function findDocument(
  objects: Pick<ReadableObjects, "readDocument">,
  group: string,
): Promise<GroupDocument | undefined> {
  const found = await objects.readDocument(groupDocumentName(group));
  try {
    return found === undefined ? undefined : decodeGroupDocument(found.bytes, group);
  } catch (error) {
    if (error instanceof StopError) return undefined;
    throw error;
  }
}
