/**
 * What the process that keeps the store asks the other way round: for blocks that it has lost, and the local appliance of
 * their group may still have. The remote side, which has the link, always answers.
 */
import type { MessageLine } from "#src/host/thread.ts";
import type { Recall } from "#src/journals/recalled-copies.ts";
import type { RecalledBlocks } from "#src/wire/group-link.ts";
import type { StoreRecall, StoreWords } from "./store-words.ts";

export class KeeperRecalls {
  readonly #line: Pick<MessageLine, "send">;
  readonly #pending = new Map<number, (blocks: RecalledBlocks) => void>();
  #lastId = 0;

  constructor(line: Pick<MessageLine, "send">) {
    this.#line = line;
  }

  readonly ask: Recall = (group, wanted) => {
    const id = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<RecalledBlocks>();
    this.#pending.set(id, resolve);
    this.#line.send({ recall: { id, group, wanted } } satisfies StoreRecall);
    return promise;
  };

  readonly answered = async ({ id, blocks }: StoreWords["recalled"]["ask"]): Promise<null> => {
    // On their way from process to process they have become plain bytes.
    this.#pending.get(id)?.(blocks.map((block) => (block === null ? undefined : Buffer.from(block))));
    this.#pending.delete(id);
    return null;
  };
}
