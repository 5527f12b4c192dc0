/** The addresses and names of this machine. */
import { hostname, networkInterfaces } from "node:os";

export function ownHosts(): readonly string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list = []) => list.map(({ address }) => address));
  return [...addresses, hostname()];
}
