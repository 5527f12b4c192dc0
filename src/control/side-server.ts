/** A side in its own thread: acts on the words of the control plane, each by itself, and answers all of them. */
import type { MessageLine } from "#src/host/thread.ts";
import type { SideActions, SideAnswer, SideAsk } from "./side.ts";
import type { CallAnswer, SideCaller } from "./side-caller.ts";
import { toldError } from "./side-error.ts";

/** `caller`: of a side that asks something itself. */
export function serveSide(line: MessageLine, actions: SideActions, caller?: SideCaller): void {
  line.receive((message) => {
    const word = message as SideAsk | CallAnswer;
    if ("call" in word) caller?.answered(word);
    else void answer(line, actions, word);
  });
}

async function answer(line: MessageLine, actions: SideActions, { id, word, ask }: SideAsk): Promise<void> {
  const act = actions[word] as (ask: unknown) => Promise<unknown>;
  line.send(await outcome(id, () => act(ask)));
}

async function outcome(id: number, act: () => Promise<unknown>): Promise<SideAnswer> {
  try {
    return { id, answer: await act() };
  } catch (error) {
    // A fault of this program ends the thread, and the process too.
    return { id, error: toldError(error) };
  }
}
