/** Snapshots as the process that keeps the store lists, makes, inspects and removes them. */
import type { Objects } from "#src/store/objects.ts";
import { Snapshot } from "#src/synth/snapshot.ts";
import { describeSnapshot, type SnapshotDescriptionItem } from "#src/synth/snapshot-description.ts";
import { snapshotName, snapshotOfName } from "#src/synth/snapshot-format.ts";
import type { KeptHistories } from "./kept-histories.ts";
import { damagedSnapshotFacts, type MadeSnapshot, type SnapshotFacts, snapshotFacts } from "./snapshot-facts.ts";
import type { SnapshotLane } from "./snapshot-lane.ts";
import type { SnapshotAsk, StoreActions, StoreWords } from "./store-words.ts";

export interface SnapshotDeskParts {
  readonly objects: Objects;
  readonly key: Buffer | undefined;
  readonly histories: KeptHistories;
  readonly lane: SnapshotLane;
}

type SnapshotWord = "snapshots" | "makeSnapshot" | "removeSnapshot" | "inspectSnapshot";

export class SnapshotDesk implements Pick<StoreActions, SnapshotWord> {
  readonly #parts: SnapshotDeskParts;

  constructor(parts: SnapshotDeskParts) {
    this.#parts = parts;
  }

  readonly snapshots = async ({ group, volume }: StoreWords["snapshots"]["ask"]): Promise<readonly SnapshotFacts[]> => {
    const history = this.#parts.histories.of(group);
    const document = await history.history();
    const pointless = await history.snapshotsWithoutPoint();
    return (await history.snapshots()).map((one) => {
      if (one instanceof Snapshot) return snapshotFacts(one, document, volume, !pointless.has(one.seq));
      return damagedSnapshotFacts(snapshotOfName(one.objectName)?.seq ?? 0, one.message, document);
    });
  };

  readonly makeSnapshot = async ({ group, volume, seq }: SnapshotAsk): Promise<MadeSnapshot> => {
    const { lane, histories } = this.#parts;
    const { snapshot, isNew, seconds } = await lane.make(group, seq);
    const document = await histories.of(group).history();
    return { ...snapshotFacts(snapshot, document, volume, true), isNew, seconds };
  };

  readonly removeSnapshot = async ({ group, seq }: StoreWords["removeSnapshot"]["ask"]): Promise<null> => {
    await this.#parts.histories.of(group).removeSnapshot(seq);
    return null;
  };

  readonly inspectSnapshot = async (
    identity: StoreWords["inspectSnapshot"]["ask"],
  ): Promise<readonly SnapshotDescriptionItem[]> => {
    const { objects, key } = this.#parts;
    const items: SnapshotDescriptionItem[] = [];
    for await (const item of describeSnapshot(objects, snapshotName(identity), key)) items.push(item);
    return items;
  };
}
