/** A host that writes a block to the volume `small`, by the library that is part of the package. */
import { connect, nodeClock, nodeSockets } from "/usr/local/lib/node_modules/tidemark/dist/nbd/index.js";

const address = { kind: "tcp", host: "127.0.0.1", port: 10809 };
const client = await connect({ address, exportName: "small", sockets: nodeSockets, clock: nodeClock });
await client.write(0, Buffer.alloc(4096, 1));
await client.flush();
await client.disconnect();
