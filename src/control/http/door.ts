/**
 * Who may ask. On loopback everybody on this machine, unless the configuration says another; elsewhere, and through a proxy, who shows
 * a token. No page of another site in a browser, whoever has it open.
 */
import { isLoopback } from "../listening-address.ts";
import { type ApiRole, type Caller, callerNames, mayDo } from "./caller.ts";
import { ProblemError } from "./problem.ts";

export interface Knock {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Of the request: `1.1`. */
  readonly httpVersion: string;
  readonly address: string;
  readonly needs: ApiRole | "open";
}

export interface DoorParts {
  /** Whose token this is. */
  readonly find: (token: string) => { readonly name: string; readonly role: ApiRole } | undefined;
  /** What may be done without one. */
  readonly withoutToken: ApiRole | "nothing";
}

export class Door {
  readonly #parts: DoorParts;

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  /** Throws for whom it does not let in. */
  check(knock: Knock): Caller {
    const { headers, address, needs } = knock;
    const shown = bearerOf(one(headers.authorization));
    if (needs !== "open") refuseOtherSites(hostOf(knock), headers);
    const caller = shown === undefined ? this.#withoutToken(knock) : this.#withToken(shown, address);
    if (needs === "open" || mayDo(caller.role, needs)) return caller;
    throw new ProblemError(
      403,
      `${caller.name === nobody ? "without a token" : `with the token '${caller.name}'`} one may ${caller.role}, and ` +
        `this is for the role ${needs}: 'tidemark token add NAME --role ${needs}' makes a token for it`,
    );
  }

  #withToken(shown: string, address: string): Caller {
    const found = this.#parts.find(shown);
    if (found === undefined) throw unknownToken("the token is not known, or has expired: ask an administrator for one");
    return { name: found.name, role: found.role, address };
  }

  #withoutToken(knock: Knock): Caller {
    const { withoutToken } = this.#parts;
    const { address, needs } = knock;
    // A name of somebody else's that leads to this machine would make a page from there one of ours.
    const isOwn = isOwnHost(hostOf(knock));
    if (needs === "open" && (withoutToken === "nothing" || isForwarded(knock) || !isOwn)) {
      return { name: nobody, role: "read", address, isStranger: true };
    }
    if (withoutToken === "nothing") throw unknownToken("a token is needed (authorization: Bearer …)");
    if (isForwarded(knock)) throw unknownToken(ofProxy);
    if (!isOwn) throw new ProblemError(403, "without a token only requests to localhost are answered");
    return { name: nobody, role: withoutToken, address };
  }
}

const nobody = callerNames.withoutToken;

function refuseOtherSites(host: string, headers: Knock["headers"]): void {
  const origin = one(headers.origin);
  const isOther = origin !== undefined && !isSameSite(origin, host);
  if (isOther || one(headers["sec-fetch-site"]) === "cross-site") {
    throw new ProblemError(403, "pages of other sites are not answered");
  }
}

/** The page was got from the very address that it asks now. */
function isSameSite(origin: string, host: string): boolean {
  return origin.replace(/^https?:\/\//, "") === host;
}

const ofProxy =
  "what comes through a proxy, or by HTTP/1.0 as from one, needs a token: 'tidemark token add', typed on this machine, makes one";

/** For whoever asks the proxy, from wherever: the connection is from this machine, and mostly the name that is asked for is its own. */
function isForwarded({ headers, httpVersion }: Knock): boolean {
  // As nginx speaks to what is behind it, unless told otherwise; it says nothing else of itself then.
  return (
    httpVersion === "1.0" ||
    Object.keys(headers).some((name) => /^(via|forwarded|x-forwarded-.+|x-real-ip)$/.test(name))
  );
}

function hostOf({ headers }: Knock): string {
  return one(headers.host) ?? "";
}

function isOwnHost(text: string): boolean {
  return isLoopback(text.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"));
}

function bearerOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  // Whoever shows something else than a token is not taken for one who shows nothing.
  return /^Bearer +(\S+)$/i.exec(header)?.[1] ?? "";
}

function unknownToken(detail: string): ProblemError {
  return new ProblemError(401, detail, { "www-authenticate": "Bearer" });
}

function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "object" ? value.join(", ") : value;
}
