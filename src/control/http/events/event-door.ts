/** Lets in whoever wants to listen to events: the same door as for all else, and where he wants to go on. */

import { checkAddress, pathOf } from "../address.ts";
import type { Door, Knock } from "../door.ts";
import { ProblemError } from "../problem.ts";
import { apiPrefix } from "../route.ts";
import type { Listening } from "./event-stream.ts";

export const eventsPath = `${apiPrefix}/events`;
/** As the subprotocol is called. */
export const eventsProtocol = "tidemark";
/** A browser can show a token in no other way: as a second protocol that it offers. */
const tokenProtocol = "token.";

export interface UpgradeRequest extends Omit<Knock, "needs"> {
  readonly target: string;
}

/** Throws for whom it does not let in. */
export function listeningOf({ target, headers, ...more }: UpgradeRequest, door: Door): Listening {
  checkAddress(target);
  if (pathOf(target) !== eventsPath) throw new ProblemError(404, "there is no WebSocket at this address");
  const knock: Knock = { ...more, headers: withToken(headers), needs: "read" };
  door.check(knock);
  return { afterId: afterOf(target), mayGoOn: () => isLetIn(door, knock) };
}

function isLetIn(door: Door, knock: Knock): boolean {
  try {
    door.check(knock);
    return true;
  } catch {
    return false;
  }
}

function withToken(headers: Knock["headers"]): Knock["headers"] {
  const offered = String(headers["sec-websocket-protocol"] ?? "").split(",");
  const shown = offered.map((one) => one.trim()).find((one) => one.startsWith(tokenProtocol));
  if (shown === undefined || headers.authorization !== undefined) return headers;
  return { ...headers, authorization: `Bearer ${shown.slice(tokenProtocol.length)}` };
}

function afterOf(target: string): number | undefined {
  const query = new URLSearchParams(target.slice(pathOf(target).length));
  for (const name of query.keys()) {
    if (name !== "after")
      throw new ProblemError(400, `there is no ${JSON.stringify(name.slice(0, 64))} in the query; known is after`);
  }
  const text = query.get("after");
  if (text === null) return undefined;
  const id = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(id)) return id;
  throw new ProblemError(400, "'after' is the id of an event");
}
