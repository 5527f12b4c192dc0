/** One good session, every byte of it: a handshake, a read in chunks, block status in two contexts, a flush. */
import { expect } from "vitest";
import { NbdClient } from "#src/nbd/client/client.ts";
import { replyType } from "#src/nbd/constants.ts";
import { promisesSettled } from "#test/sim/sim-clock.ts";
import {
  begin,
  chunk,
  decodeRequests,
  type HeardRequest,
  handshakeReplies,
  numbers,
  type Script,
  type ScriptedConnection,
  wantFor,
} from "./scripted-peer.ts";

/** A server that can do it all. */
export const full: Script = {
  style: "extended",
  contextIds: [7, 9],
  blockSizes: { minimumBytes: 1, preferredBytes: 4096, payloadBytesMax: 1 << 25 },
};

export const handshakeBytes = Buffer.concat(handshakeReplies(full)).length;

function transmission(requests: readonly HeardRequest[]): Buffer {
  const [read, status, flush] = requests as [HeardRequest, HeardRequest, HeardRequest];
  const { offsetData, offsetHole, blockStatusExtended, none } = replyType;
  const part = { type: offsetData, payload: Buffer.concat([numbers([64, 0]), Buffer.from("data")]), isLast: false };
  const extents = (id: number) => numbers([32, id], [32, 1], [64, 512], [64, 3]);
  return Buffer.concat([
    chunk("extended", read, part),
    chunk("extended", flush, { type: none }),
    chunk("extended", status, { type: blockStatusExtended, payload: extents(9), isLast: false }),
    chunk("extended", read, { type: offsetHole, payload: numbers([64, 4], [32, 4]), isLast: true }),
    chunk("extended", status, { type: blockStatusExtended, payload: extents(7), isLast: true }),
  ]);
}

/**
 * Plays the session, each of the server's messages by way of `say`, and hangs up at the end if nobody did before. What
 * came of the connection, or of each of its requests: "ok", or the error. Whatever happens, all of them must end.
 */
export async function play(say: (wire: ScriptedConnection, message: Buffer) => void): Promise<("ok" | Error)[]> {
  const { wire, client, clock } = await begin(wantFor(full));
  let opened: NbdClient | Error | undefined;
  const opening = client.then(
    (value) => {
      opened = value;
    },
    (error: Error) => {
      opened = error;
    },
  );
  for (const reply of handshakeReplies(full)) say(wire, reply);
  await promisesSettled();
  wire.takeHeard();
  const asked = opened instanceof NbdClient ? [opened.read(0, 8), opened.blockStatus(0, 512), opened.flush()] : [];
  const settled = Promise.allSettled(asked);
  clock.turn();
  const requests = decodeRequests(wire.takeHeard(), true);
  // An export that the server told something else about may not take all of them.
  if (requests.length === 3) say(wire, transmission(requests));
  wire.hangUp();
  clock.turn();
  expect(clock.timerCount).toBe(0);
  await opening;
  if (opened instanceof Error) return [opened];
  return (await settled).map((result) => (result.status === "fulfilled" ? "ok" : (result.reason as Error)));
}
