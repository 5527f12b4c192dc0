import { nodeSockets } from "#src/host/node/sockets.ts";
import { realDriver } from "#test/contract/driver.ts";
import { describeSocketsContract } from "#test/contract/sockets.ts";
import { silentListener } from "./silent-listener.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const tooMuchBytes = 12 * 1024 * 1024;

describeSocketsContract("the machine's Unix sockets", () => {
  const folder = temporaryFolder();
  return {
    sockets: nodeSockets,
    driver: realDriver,
    tooMuchBytes,
    address: { kind: "unix", path: `${folder}/socket` },
    deserted: { kind: "unix", path: `${folder}/nothing` },
  };
});

describeSocketsContract("the machine's TCP sockets", () => ({
  sockets: nodeSockets,
  driver: realDriver,
  tooMuchBytes,
  address: { kind: "tcp", host: "127.0.0.1", port: 0 },
  deserted: { kind: "tcp", host: "127.0.0.1", port: 1 },
  silent: silentListener,
}));
