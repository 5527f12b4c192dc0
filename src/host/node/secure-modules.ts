/**
 * Node's TLS and HTTPS, for whoever comes to need them: each thread that loads them takes longer for it than for all sockets
 * without, and most sockets are without.
 */
import type https from "node:https";
import type tls from "node:tls";

export function tlsModule(): typeof tls {
  return process.getBuiltinModule("node:tls");
}

export function httpsModule(): typeof https {
  return process.getBuiltinModule("node:https");
}
