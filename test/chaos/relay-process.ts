/** Brings a port of the loopback of whichever network namespace this runs in to a Unix socket: `relay-process.ts PATH PORT`. */
import { relay } from "./relay.ts";

const [path, port] = process.argv.slice(2) as [string, string];
relay({ path }, { host: "127.0.0.1", port: Number(port) });
