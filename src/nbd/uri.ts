/**
 * NBD URIs: nbd://host[:port]/export and nbd+unix:///export?socket=PATH, with an `s` after `nbd` where TLS is a must.
 * Taken apart by hand: a general URL parser would tidy up dots and slashes, which may well stand in an export's name.
 */
import { RefuseError } from "#src/core/errors.ts";
import { nbdNameBytesMax } from "#src/core/nbd-limits.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import { defaultPort } from "./constants.ts";

export interface NbdUri {
  readonly address: Exclude<SocketAddress, { readonly kind: "inherited" }>;
  readonly exportName: string;
  readonly tls: boolean;
  /** A folder with ca-cert.pem, client-cert.pem and client-key.pem. */
  readonly tlsCertificates?: string;
  /** The name that the server's certificate must bear, where it is not the host's. */
  readonly tlsHostname?: string;
}

export class NbdUriError extends RefuseError {
  override name = "NbdUriError";
}

/** What this client cannot do although the URI asks for it; to go on without would be less safe than was asked for. */
const refusedParameters = new Map([
  ["tls-psk-file", "TLS with pre-shared keys is not supported"],
  ["tls-username", "TLS with pre-shared keys is not supported"],
  ["tls-verify-peer", "whether the server is verified follows from tls-certificates"],
]);

/** Whether it is meant to be one. */
export function isNbdUri(text: string): boolean {
  return /^nbds?(\+[a-z]+)?:/i.test(text);
}

export function parseNbdUri(text: string): NbdUri {
  const parts = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?(#.*)?$/i.exec(text);
  if (parts === null) throw new NbdUriError(`not an NBD URI, which begins like nbd:// or nbd+unix://: ${text}`);
  const [, scheme = "", authority = "", path = "", query = "", fragment] = parts;
  if (fragment !== undefined) throw new NbdUriError(`an NBD URI has no part after "#"; write it as %23: ${text}`);
  const { tls, unix } = parseScheme(scheme);
  const parameters = parseQuery(query);
  const tlsCertificates = parameters.get("tls-certificates");
  const tlsHostname = parameters.get("tls-hostname");
  if (!tls && (tlsCertificates !== undefined || tlsHostname !== undefined)) {
    throw new NbdUriError(`a URI with certificates must begin with nbds: ${text}`);
  }
  return {
    address: unix ? parseUnix(authority, parameters) : parseTcp(authority, parameters),
    exportName: parseExportName(path),
    tls,
    ...(tlsCertificates === undefined ? {} : { tlsCertificates }),
    ...(tlsHostname === undefined ? {} : { tlsHostname }),
  };
}

export function formatNbdUri(uri: NbdUri): string {
  const { address } = uri;
  const scheme = (uri.tls ? "nbds" : "nbd") + (address.kind === "unix" ? "+unix" : "");
  const query: string[] = [];
  if (address.kind === "unix") query.push(`socket=${encode(address.path)}`);
  if (uri.tlsCertificates !== undefined) query.push(`tls-certificates=${encode(uri.tlsCertificates)}`);
  if (uri.tlsHostname !== undefined) query.push(`tls-hostname=${encode(uri.tlsHostname)}`);
  const authority = address.kind === "tcp" ? formatAuthority(address.host, address.port) : "";
  return `${scheme}://${authority}/${encode(uri.exportName)}${query.length === 0 ? "" : `?${query.join("&")}`}`;
}

function parseScheme(scheme: string): { tls: boolean; unix: boolean } {
  switch (scheme.toLowerCase()) {
    case "nbd":
      return { tls: false, unix: false };
    case "nbds":
      return { tls: true, unix: false };
    case "nbd+unix":
      return { tls: false, unix: true };
    case "nbds+unix":
      return { tls: true, unix: true };
    default:
      throw new NbdUriError(`"${scheme}" is none of nbd, nbds, nbd+unix and nbds+unix`);
  }
}

/** Parameters that nobody here knows are left alone: other programs put theirs there. */
function parseQuery(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split("&").filter((pair) => pair !== "")) {
    const [key = "", ...rest] = pair.split("=");
    const name = decode(key);
    const refusal = refusedParameters.get(name);
    if (refusal !== undefined) throw new NbdUriError(`${name} in an NBD URI: ${refusal}`);
    if (parameters.has(name)) throw new NbdUriError(`${name} stands twice in the NBD URI`);
    parameters.set(name, decode(rest.join("=")));
  }
  return parameters;
}

function parseUnix(authority: string, parameters: ReadonlyMap<string, string>): NbdUri["address"] {
  const path = parameters.get("socket");
  if (authority !== "") {
    throw new NbdUriError(`an NBD URI for a Unix socket has three slashes and no host, but here is "${authority}"`);
  }
  if (path === undefined || path === "") throw new NbdUriError("an NBD URI for a Unix socket needs ?socket=PATH");
  return { kind: "unix", path };
}

function parseTcp(authority: string, parameters: ReadonlyMap<string, string>): NbdUri["address"] {
  if (parameters.has("socket"))
    throw new NbdUriError("?socket=PATH needs a URI that begins with nbd+unix or nbds+unix");
  if (authority.includes("@")) throw new NbdUriError("a user in an NBD URI is not supported");
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([0-9]*))?$/.exec(authority);
  if (parts === null)
    throw new NbdUriError(`"${authority}" is not a host with a port; IPv6 addresses stand in brackets`);
  const [, bracketed, plain = "", digits = ""] = parts;
  const host = decode(bracketed ?? plain);
  if (host === "") throw new NbdUriError("the NBD URI names no host");
  const port = digits === "" ? defaultPort : Number(digits);
  if (port < 1 || port > 65535) throw new NbdUriError(`${digits} is not a port`);
  return { kind: "tcp", host, port };
}

/** One slash parts the name from what stands before it; any other belongs to the name. */
function parseExportName(path: string): string {
  const name = decode(path.slice(1));
  if (name.includes("\0")) throw new NbdUriError("an export's name cannot contain a zero byte");
  if (Buffer.byteLength(name) > nbdNameBytesMax) {
    throw new NbdUriError(`an export's name has at most ${nbdNameBytesMax} bytes`);
  }
  return name;
}

function formatAuthority(host: string, port: number): string {
  const name = host.includes(":") ? `[${host.replaceAll("%", "%25")}]` : encodeURIComponent(host);
  return port === defaultPort ? name : `${name}:${port}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new NbdUriError(`"${text}" is not percent-encoded UTF-8`);
  }
}

/** Slashes stay readable: they mean nothing after the first one of the path and in a query. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll("%2F", "/");
}
