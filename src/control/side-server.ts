/** A side in its own thread: acts on the words of the control plane, each by itself, and answers all of them. */
import { inWords } from "#src/host/system-words.ts";
import type { MessageLine } from "#src/host/thread.ts";
import type { SideActions, SideAnswer, SideAsk } from "./side.ts";

export function serveSide(line: MessageLine, actions: SideActions): void {
  line.receive((message) => void answer(line, actions, message as SideAsk));
}

async function answer(line: MessageLine, actions: SideActions, { id, word, ask }: SideAsk): Promise<void> {
  const act = actions[word] as (ask: unknown) => Promise<unknown>;
  line.send(await outcome(id, () => act(ask)));
}

async function outcome(id: number, act: () => Promise<unknown>): Promise<SideAnswer> {
  try {
    return { id, answer: await act() };
  } catch (error) {
    const { name } = error as Error;
    // A fault of this program is no answer: the thread ends with it, and the process too.
    if (name === "AssertionError" || name === "TypeError") throw error;
    return { id, error: { name, message: inWords(error) } };
  }
}
