/** All ports of one machine, as they are handed to whatever is started on it. */
import type { BlockDevice } from "./block-device.ts";
import type { Clock } from "./clock.ts";
import type { Files } from "./files.ts";
import type { Log } from "./log.ts";
import type { Randomness } from "./randomness.ts";
import type { Sockets } from "./socket.ts";

export interface Machine {
  readonly files: Files;
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly log: Log;
  /**
   * Another one after each start of the machine, and the same for as long as it runs: if it is the same, what was
   * written before is there, synced or not.
   */
  readonly bootId: string;
  openBlockDevice(path: string, options: { readonly readOnly: boolean }): BlockDevice;
}
