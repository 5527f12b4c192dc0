/** Stands between two Unix sockets and counts what goes by, either way. */
import { once } from "node:events";
import net from "node:net";

export interface CountingLink extends AsyncDisposable {
  readonly passedBytes: number;
}

export async function startCountingLink(listenPath: string, targetPath: string): Promise<CountingLink> {
  const sockets = new Set<net.Socket>();
  let passedBytes = 0;
  const pass = (from: net.Socket, to: net.Socket) => {
    sockets.add(from);
    from.on("data", (bytes: Buffer) => {
      passedBytes += bytes.length;
      if (!to.write(bytes)) from.pause();
    });
    to.on("drain", () => from.resume());
    from.on("error", () => to.destroy());
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = net.createServer((near) => {
    const far = net.connect(targetPath);
    pass(near, far);
    pass(far, near);
  });
  await once(server.listen(listenPath), "listening");
  return {
    get passedBytes() {
      return passedBytes;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
