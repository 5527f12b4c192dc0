/** Sockets of this machine: Unix and TCP, plain and TLS. */
import fs from "node:fs";
import net from "node:net";
import { dirname } from "node:path";
import type tls from "node:tls";
import { socketKeepAliveMs } from "#src/core/limits.ts";
import type { Connection, Listener, SecureOptions, SocketAddress, Sockets } from "../socket.ts";
import { DescriptorConnection } from "./descriptor-connection.ts";
import { tlsModule } from "./secure-modules.ts";
import { StreamConnection } from "./stream-connection.ts";

export const nodeSockets: Sockets = { listen, connect, secure };

async function listen(address: SocketAddress, accepted: (connection: Connection) => void): Promise<Listener> {
  if (address.kind === "unix") await removeStaleSocket(address.path);
  const options = { keepAlive: true, keepAliveInitialDelay: socketKeepAliveMs, noDelay: true };
  const server = net.createServer({ ...options, pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    accepted(connectionOf(socket));
  });
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => reject(explained(error, address));
    server.once("error", refuse);
    server.listen(listenOptions(address), () => {
      server.off("error", refuse);
      // Running out of descriptors is no reason to stop: those who wait are accepted when some are free again.
      server.on("error", () => {});
      resolve();
    });
  });
  return { address: boundAddress(address, server), close: () => closeServer(server) };
}

/** A folder that is not there comes as a refusal of permission. */
function explained(error: NodeJS.ErrnoException, address: SocketAddress): Error {
  if (address.kind !== "unix" || error.code !== "EACCES" || fs.existsSync(dirname(address.path))) return error;
  return Object.assign(new Error(`there is no folder ${dirname(address.path)}`), { code: "ENOENT", cause: error });
}

function listenOptions(address: SocketAddress): net.ListenOptions & { fd?: number } {
  switch (address.kind) {
    case "unix":
      return { path: address.path };
    case "tcp":
      return { host: address.host, port: address.port };
    case "inherited":
      return { fd: address.fd };
  }
}

function boundAddress(asked: SocketAddress, server: net.Server): SocketAddress {
  const bound = server.address();
  if (typeof bound === "string") return { kind: "unix", path: bound };
  return bound === null ? asked : { kind: "tcp", host: bound.address, port: bound.port };
}

/** Resolves at once: the connections that stand are their owners' business. */
function closeServer(server: net.Server): Promise<void> {
  server.close();
  return Promise.resolve();
}

/** A socket file nobody listens on is left over from a process that was killed. One that answers is not ours to take. */
async function removeStaleSocket(path: string): Promise<void> {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isSocket() && (await refusesConnections(path))) fs.unlinkSync(path);
}

/** Paths can be written in many ways, so only asking tells. */
function refusesConnections(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}

function connect(address: SocketAddress, timeoutMs: number): Promise<Connection> {
  if (address.kind === "inherited") return Promise.reject(new Error("an inherited socket can only be listened on"));
  const target = address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port };
  return new Promise((resolve, reject) => {
    // A peer whose machine is gone says nothing, and some of those who connect wait for theirs without an end.
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: socketKeepAliveMs };
    const socket = net.connect({ ...target, ...keepAlive, allowHalfOpen: true, noDelay: true });
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new Error(`no answer from ${describe(address)} in ${timeoutMs} ms`)),
      timeoutMs,
    );
    socket.once("error", fail);
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.off("error", fail);
      socket.pause();
      resolve(connectionOf(socket));
    });
  });
}

function describe(address: SocketAddress): string {
  switch (address.kind) {
    case "unix":
      return address.path;
    case "tcp":
      return `${address.host}:${address.port}`;
    case "inherited":
      return `descriptor ${address.fd}`;
  }
}

function connectionOf(socket: net.Socket): Connection {
  const peer = socket.remoteAddress === undefined ? "unix" : `${socket.remoteAddress}:${socket.remotePort}`;
  return DescriptorConnection.over(socket, peer) ?? new StreamConnection(socket, peer);
}

async function secure(connection: Connection, options: SecureOptions): Promise<Connection> {
  const raw = (connection as DescriptorConnection | StreamConnection).takeSocket();
  try {
    const socket = await (options.role === "server" ? secureAsServer(raw, options) : secureAsClient(raw, options));
    socket.pause();
    socket.allowHalfOpen = true;
    return new StreamConnection(socket, `${connection.peer} (TLS)`);
  } catch (error) {
    // Whatever it was, unusable credentials among them: nobody else has the socket to close it.
    raw.destroy();
    throw error;
  }
}

/** A server of its own for each connection: only a server checks a client's certificate, and it takes sockets from anywhere. */
function secureAsServer(raw: net.Socket, options: SecureOptions): Promise<tls.TLSSocket> {
  const wantsCertificate = options.credentials.ca !== undefined;
  const server = tlsModule().createServer({
    ...options.credentials,
    minVersion: "TLSv1.2",
    requestCert: wantsCertificate,
    // Left to itself it would hang up on whom nobody vouches for, and not say why.
    rejectUnauthorized: false,
    handshakeTimeout: options.timeoutMs,
  });
  return new Promise((resolve, reject) => {
    server.once("secureConnection", (socket) => {
      if (!wantsCertificate || socket.authorized) resolve(socket);
      else reject(new Error(whyUnauthorized(socket)));
    });
    server.once("tlsClientError", reject);
    server.emit("connection", raw);
  });
}

function whyUnauthorized(socket: tls.TLSSocket): string {
  if (socket.getPeerX509Certificate() === undefined) return "it has shown no certificate";
  const code = String(socket.authorizationError);
  switch (code) {
    case "CERT_HAS_EXPIRED":
      return "its certificate has expired";
    case "CERT_NOT_YET_VALID":
      return "its certificate does not count yet; if it should, look at the clocks";
    default:
      return `nobody who is trusted here vouches for its certificate (${code})`;
  }
}

function secureAsClient(raw: net.Socket, options: SecureOptions): Promise<tls.TLSSocket> {
  const tlsOptions: tls.ConnectionOptions = { socket: raw, ...options.credentials, minVersion: "TLSv1.2" };
  if (options.serverName !== undefined) {
    // A name is announced to the server, an address only compared with its certificate.
    if (net.isIP(options.serverName) === 0) tlsOptions.servername = options.serverName;
    else tlsOptions.host = options.serverName;
  }
  const socket = tlsModule().connect(tlsOptions);
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const hungUp = (): void => fail(new Error("the peer hung up during the TLS handshake"));
    const timer = setTimeout(() => fail(new Error(`no TLS handshake in ${options.timeoutMs} ms`)), options.timeoutMs);
    socket.once("error", fail);
    socket.once("close", hungUp);
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      socket.off("error", fail);
      socket.off("close", hungUp);
      resolve(socket);
    });
  });
}
