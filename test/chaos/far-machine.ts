/**
 * A machine for the remote appliance: a network namespace, to which one cable leads. What goes over the cable is TCP of the kernel's, with
 * TLS, as between two sites; when the cable is pulled nobody is told. The control API stays on its loopback, and a relay brings it out.
 */
import { readFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { succeed } from "#test/clients/command.ts";
import type { TemporaryFolder } from "#test/clients/harness.ts";
import { Program } from "#test/oracle/program.ts";
import type { FrameTls } from "./frame-proxy.ts";
import { relay } from "./relay.ts";
import { until } from "./until.ts";

const relayProgram = join(import.meta.dirname, "relay-process.ts");

interface Parts {
  readonly folder: TemporaryFolder;
  readonly space: string;
  readonly cable: { readonly near: string; readonly far: string };
  readonly host: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export class FarMachine {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Gone when the test ends. */
  static async make(folder: TemporaryFolder): Promise<FarMachine> {
    const id = process.pid;
    const space = `tidemark-${id}`;
    const cable = { near: `tm${id}n`, far: `tm${id}f` };
    // Of 169.254.0.0/16, which nobody routes; two that run at the same time are hardly ever the same.
    const [third, fourth] = [1 + (id % 250), 4 * (Math.floor(id / 250) % 64)];
    const [nearHost, host] = [`169.254.${third}.${fourth + 1}`, `169.254.${third}.${fourth + 2}`];
    await succeed("ip", ["netns", "add", space]);
    onTestFinished(async () => void (await succeed("ip", ["netns", "delete", space])));
    await succeed("ip", ["link", "add", cable.near, "type", "veth", "peer", "name", cable.far, "netns", space]);
    onTestFinished(async () => void (await succeed("ip", ["link", "delete", cable.near])));
    await succeed("ip", ["address", "add", `${nearHost}/30`, "dev", cable.near]);
    await succeed("ip", ["link", "set", cable.near, "up"]);
    await succeed("ip", ["-n", space, "address", "add", `${host}/30`, "dev", cable.far]);
    for (const device of ["lo", cable.far]) await succeed("ip", ["-n", space, "link", "set", device, "up"]);
    return new FarMachine({ folder, space, cable, host, ...(await certificateOf(folder, host)) });
  }

  /** Where it is found from here. */
  get host(): string {
    return this.#parts.host;
  }

  /** What the commands of programs that run there are handed to. */
  get under(): readonly [string, ...string[]] {
    return ["nsenter", `--net=/run/netns/${this.#parts.space}`, "--"];
  }

  /** Settings of the wire, of the two ends. */
  wireOf(port: number, tokenFile: string): { readonly local: object; readonly remote: object } {
    const { host, certFile, keyFile } = this.#parts;
    return {
      local: { wire: { port: "off", tokenFile, tls: { caFile: certFile } } },
      remote: { wire: { host, port, tokenFile, tls: { certFile, keyFile } } },
    };
  }

  /** Of whoever stands between the two. */
  get tls(): FrameTls {
    const { certFile, keyFile } = this.#parts;
    return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  }

  /** What listens there on its own loopback is found here at the same port. */
  async bringOut(port: number): Promise<void> {
    const path = this.#parts.folder.file(`far-${port}.sock`);
    new Program("relay", [...this.under, process.execPath, relayProgram, path, String(port)]);
    await until("the relay listens", () => access(path));
    const server = relay({ host: "127.0.0.1", port }, { path });
    onTestFinished(() => void server.close());
  }

  /** Of both ends: what is sent is lost, and nobody hears of it. */
  async pullCable(): Promise<void> {
    await this.#setCable("down");
  }

  async plugCable(): Promise<void> {
    await this.#setCable("up");
  }

  async #setCable(state: "up" | "down"): Promise<void> {
    const { space, cable } = this.#parts;
    await succeed("ip", ["-n", space, "link", "set", cable.far, state]);
  }
}

async function certificateOf(folder: TemporaryFolder, host: string) {
  const [certFile, keyFile] = [folder.file("far-cert.pem"), folder.file("far-key.pem")];
  await succeed("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "60"],
    ...["-subj", "/CN=far", "-addext", `subjectAltName=DNS:localhost,IP:127.0.0.1,IP:${host}`],
    ...["-keyout", keyFile, "-out", certFile],
  ]);
  return { certFile, keyFile };
}

/** Of this machine alone. */
export async function selfSigned(folder: TemporaryFolder): Promise<FrameTls> {
  const { certFile, keyFile } = await certificateOf(folder, "127.0.0.1");
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
}
