/** Three roles as processes of their own, with a link of some delay and bandwidth between local and remote appliance. */
import { once } from "node:events";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import { median } from "./rounds.ts";
import { createScratch, type Scratch } from "./scratch.ts";
import { type ListeningProcess, startListening } from "./server.ts";
import { type RunningTidemark, startTidemark } from "./tidemark.ts";

export interface Link {
  /** `Infinity`: any. */
  readonly megabits: number;
  /** One way. */
  readonly delayMs: number;
}

export interface LinkedSetup {
  readonly link: Link;
  readonly mode: Mode;
  readonly sizeBytes: number;
  /** Settings of modes, other than they are by themselves. */
  readonly modes?: object;
}

export interface Linked extends AsyncDisposable {
  readonly tidemark: RunningTidemark;
  readonly sockets: Scratch;
}

/** The source is empty: there is nothing that would have to be copied over the link first. */
export async function startLinked(folder: string, { link, mode, sizeBytes, modes = {} }: LinkedSetup): Promise<Linked> {
  await using stack = new AsyncDisposableStack();
  const scratch = stack.use(createScratch(folder));
  const sockets = stack.use(createScratch(tmpdir()));
  const tidemark = stack.use(
    await startTidemark({
      ...{ dataFolder: scratch.file("data"), sockets, mode, processes: "one per role", settings: { modes } },
      volumes: [{ name: "bench", source: scratch.file("disk"), sizeBytes }],
      remoteAddress: sockets.file("link"),
      remoteStarted: async (wire) => void stack.use(await startLink(link, sockets.file("link"), wire)),
    }),
  );
  const parts = stack.move();
  return { tidemark, sockets, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

export function startLink({ megabits, delayMs }: Link, socket: string, target: string): Promise<ListeningProcess> {
  const program = join(import.meta.dirname, "thin-link.ts");
  const command = [process.execPath, program, socket, target, `${megabits}`, `${delayMs}`] as const;
  return startListening({ name: "the link", command: [...command], socket });
}

const pings = 9;
const pingBytes = 64;

/** What a small message takes through the link and back: timers are not as exact as what is asked for. */
export async function roundTripMs(link: Link): Promise<number> {
  using sockets = createScratch(tmpdir());
  const echo = net.createServer((socket) => socket.on("error", () => {}).pipe(socket));
  await once(echo.listen(sockets.file("echo")), "listening");
  try {
    await using _process = await startLink(link, sockets.file("link"), sockets.file("echo"));
    const socket = net.connect(sockets.file("link"));
    const tookMs: number[] = [];
    for (let count = 0; count < pings; count++) {
      const began = performance.now();
      socket.write(Buffer.alloc(pingBytes));
      await once(socket, "data");
      tookMs.push(performance.now() - began);
    }
    socket.destroy();
    return median(tookMs);
  } finally {
    echo.close();
  }
}
