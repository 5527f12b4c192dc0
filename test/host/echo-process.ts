/** A process for tests: sends back what it gets, with what it was started with, until it is told to crash. */
import type { MessageLine } from "#src/host/thread.ts";

export function runThread(line: MessageLine, settings: { readonly name: string }): void {
  line.receive((message) => {
    if (message === "crash") process.kill(process.pid, "SIGSEGV");
    else if (message === "fail") process.exit(3);
    else line.send([settings.name, message, process.pid]);
  });
}
