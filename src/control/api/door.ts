/** Who may ask. On loopback everybody on this machine, but no page that a browser on it shows. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpRequest } from "#src/host/http.ts";
import { isLoopback } from "../listening-address.ts";
import { ProblemError } from "./problem.ts";

export class Door {
  readonly #tokenDigest: Buffer | undefined;

  constructor(token: string | undefined) {
    this.#tokenDigest = token === undefined ? undefined : digestOf(token);
  }

  /** Throws for whom it does not let in. */
  check(request: HttpRequest): void {
    if (this.#tokenDigest === undefined) {
      refuseOtherSites(request.headers);
      return;
    }
    const [, shown] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    // Digests are of one length, and take one time to compare.
    if (shown !== undefined && timingSafeEqual(digestOf(shown), this.#tokenDigest)) return;
    throw new ProblemError(401, "a token is needed (authorization: Bearer …)", { "www-authenticate": "Bearer" });
  }
}

/** A name of somebody else's that leads to this machine would make a page from there one of ours. */
function refuseOtherSites({ host, origin }: HttpRequest["headers"]): void {
  if (!isOwnHost(host ?? "")) throw new ProblemError(403, "without a token only requests to localhost are answered");
  if (origin !== undefined && !isOwnHost(origin.replace(/^https?:\/\//, ""))) {
    throw new ProblemError(403, "pages of other sites are not answered");
  }
}

function isOwnHost(text: string): boolean {
  return isLoopback(text.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"));
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
