/** This machine, behind its ports. */
import type { Log } from "../log.ts";
import type { Machine } from "../machine.ts";
import { openBlockDevice } from "./block-device.ts";
import { readBootId } from "./boot-id.ts";
import { nodeClock } from "./clock.ts";
import { nodeFiles } from "./files.ts";
import { nodeRandomness } from "./randomness.ts";
import { nodeSockets } from "./sockets.ts";

export function nodeMachine(log: Log): Machine {
  return {
    files: nodeFiles,
    sockets: nodeSockets,
    clock: nodeClock,
    randomness: nodeRandomness,
    log,
    bootId: readBootId(),
    openBlockDevice: (path, { readOnly }) => openBlockDevice(path, { readOnly, exclusive: !readOnly }),
  };
}
