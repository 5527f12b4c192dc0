/** A thread, or a process, that says what time it is. */
import { nodeClock } from "#src/host/node/clock.ts";
import type { MessageLine } from "#src/host/thread.ts";

export function runThread(line: MessageLine): void {
  line.receive(() => line.send(nodeClock.hostMs()));
}
