/** The page and the API behind Debian's nginx, as deploy/sample/nginx.conf has it, and as it is without any settings of its own. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { RunningProgram } from "#test/cli/running-program.ts";
import { createCertificates } from "#test/clients/certificates.ts";
import { succeed } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { freePort } from "#test/oracle/free-ports.ts";
import { Program } from "#test/oracle/program.ts";
import { whenSeen } from "#test/patience.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { openedPage, useBrowser } from "#test/ui/opened-page.ts";

needPrograms("nginx", "openssl", "chromium");
useBrowser();

const sample = readFileSync(join(projectRoot, "deploy/sample/nginx.conf"), "utf8");
const parts = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

class ProxiedProgram {
  readonly up: RunningProgram;
  /** Of the sample. */
  readonly origin: string;
  /** Of a server that only has the address to pass on to. */
  readonly plainOrigin: string;
  readonly token: string;
  readonly authority: string;

  private constructor(facts: Omit<ProxiedProgram, "answer">) {
    ({ up: this.up, origin: this.origin, plainOrigin: this.plainOrigin } = facts);
    ({ token: this.token, authority: this.authority } = facts);
  }

  /** Without a token all may be done on this machine, as long as nothing else is set. */
  static async start(): Promise<ProxiedProgram> {
    const folder = temporaryFolder();
    const up = await RunningProgram.start("up", join(folder, "data"));
    const { token } = (await up.asked("token", "add", "ops", "--role", "operate")) as { readonly token: string };
    const { serverCertificateFile, serverKeyFile, authorityFile } = await createCertificates(folder);
    const [port, plainPort] = [await freePort(), await freePort()];
    const site = sample
      .replace("listen 443 ssl;", `listen 127.0.0.1:${port} ssl;`)
      .replace("/etc/ssl/certs/backup.example.pem", serverCertificateFile)
      .replace("/etc/ssl/private/backup.example.pem", serverKeyFile)
      .replace("http://127.0.0.1:7878", up.api);
    const plain = `server { listen 127.0.0.1:${plainPort}; location / { proxy_pass ${up.api}; } }`;
    await startNginx(folder, `${site}\n${plain}`);
    const [origin, plainOrigin] = [`https://127.0.0.1:${port}`, `http://127.0.0.1:${plainPort}`];
    await whenSeen(async () => expect((await fetch(`${plainOrigin}/healthz`)).status).toBe(200));
    return new ProxiedProgram({ up, origin, plainOrigin, token, authority: readFileSync(authorityFile, "utf8") });
  }

  /** The status, from behind the sample. */
  async answer(path: string, token?: string): Promise<number | undefined> {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    get(`${this.origin}${path}`, { ca: this.authority, headers, agent: false }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    }).on("error", reject);
    return promise;
  }
}

async function startNginx(folder: string, servers: string): Promise<void> {
  const scratch = join(folder, "nginx");
  mkdirSync(scratch);
  const file = join(folder, "nginx.conf");
  const places = parts.map((part) => `${part}_temp_path ${scratch}/${part};`);
  const http = [...places, "access_log off;", servers].join("\n");
  // One process, which the end of the test ends.
  const alone = `daemon off; master_process off; pid ${scratch}/pid;`;
  writeFileSync(file, `${alone} events {} http {\n${http}\n}\n`);
  await succeed("nginx", ["-t", "-e", "stderr", "-p", scratch, "-c", file]);
  new Program("nginx", ["nginx", "-e", "stderr", "-p", scratch, "-c", file]);
}

interface Heard {
  /** The first message, or why there is none. */
  readonly said: string;
}

function stream({ origin, authority }: ProxiedProgram, token?: string): Promise<Heard> {
  const { promise, resolve } = Promise.withResolvers<Heard>();
  const protocols = token === undefined ? ["tidemark"] : ["tidemark", `token.${token}`];
  const socket = new WebSocket(`${origin.replace("https:", "wss:")}/api/v1/events`, protocols, {
    ca: authority,
    origin,
  });
  socket.on("message", (data) => {
    resolve({ said: String(data) });
    socket.close();
  });
  socket.on("error", (error) => resolve({ said: error.message }));
  return promise;
}

test("behind nginx the API and its stream answer who shows a token, and nobody else", async () => {
  const proxied = await ProxiedProgram.start();
  const { up, plainOrigin, token } = proxied;
  // What everybody may ask on this machine.
  expect((await up.got("/api/v1/volumes")).status).toBe(200);
  const asked = await Promise.all([undefined, "another", token].map((one) => proxied.answer("/api/v1/volumes", one)));
  expect(asked).toEqual([401, 401, 200]);
  expect(await proxied.answer("/healthz")).toBe(200);
  expect((await stream(proxied)).said).toContain("401");
  expect(JSON.parse((await stream(proxied, token)).said)).toMatchObject({ type: "hello" });

  const headers = { authorization: `Bearer ${token}` };
  expect((await fetch(`${plainOrigin}/api/v1/volumes`)).status).toBe(401);
  expect((await fetch(`${plainOrigin}/api/v1/volumes`, { headers })).status).toBe(200);
});

test("behind nginx the page asks for a token, and is live with it", async () => {
  const { origin, token } = await ProxiedProgram.start();
  const page = await openedPage(origin, { mayFail: true, anyCertificate: true });
  await page.getByRole("heading", { name: "A token is needed" }).waitFor();
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Go on", exact: true }).click();
  await page.getByRole("heading", { name: "No volume yet" }).waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  await page.close();
});
