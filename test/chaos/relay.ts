/** Passes on all connections from one place to another, also from one network namespace to another, where one of them is a Unix socket. */
import net from "node:net";
import type { ProxyAddress } from "#test/oracle/link-proxy.ts";

export function relay(listenAt: ProxyAddress, target: ProxyAddress): net.Server {
  const server = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ ...target, allowHalfOpen: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroySoon());
      from.pipe(to);
    }
  });
  return server.listen({ ...listenAt });
}
