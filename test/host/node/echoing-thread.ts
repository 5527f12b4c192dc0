/** A thread that says what it hears, or comes to an end as it is told. */
import type { MessageLine } from "#src/host/thread.ts";

export function runThread(line: MessageLine, { prefix }: { readonly prefix: string }): void {
  line.receive((message) => {
    if (message === "throw") throw new Error("thrown in the thread");
    if (message === "reject") void Promise.reject(new Error("rejected in the thread"));
    else if (message === "exit") process.exit(7);
    else line.send(`${prefix}${String(message)}`);
  });
}
