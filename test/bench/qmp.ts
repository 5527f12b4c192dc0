/** QEMU's machine protocol, as far as a benchmark orders things by it: a line of JSON there, a line of JSON back. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

interface Message {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class QmpClient implements Disposable {
  readonly #socket: Socket;
  /** In the order of the commands, which is that of the answers. */
  readonly #waiting: Waiting[] = [];
  #end: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => {});
    const lines = createInterface({ input: socket });
    lines.on("line", (line) => this.#receive(JSON.parse(line)));
    lines.on("close", () => this.#fail(new Error("the QMP connection has ended")));
  }

  static async connect(path: string): Promise<QmpClient> {
    const socket = connect(path);
    await once(socket, "connect");
    const client = new QmpClient(socket);
    await client.execute("qmp_capabilities");
    return client;
  }

  execute(command: string, commandArguments: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) return reject(this.#end);
      this.#waiting.push({
        resolve,
        reject: (error) => reject(new Error(`${command}: ${error.message}`, { cause: error })),
      });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: commandArguments })}\n`);
    });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  /** Greetings and events are not asked for, and not needed. */
  #receive(message: Message): void {
    if (message.error !== undefined) this.#waiting.shift()?.reject(new Error(message.error.desc));
    else if ("return" in message) this.#waiting.shift()?.resolve(message.return);
  }

  #fail(error: Error): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
