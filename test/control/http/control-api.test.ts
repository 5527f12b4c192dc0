import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { ApiCertificate } from "#src/control/http/api-certificate.ts";
import { ControlApi } from "#src/control/http/control-api.ts";
import { Simulation } from "#test/sim/simulation.ts";

const assignments = ["data=/data", "http.host=0.0.0.0"];
const { config } = loadConfig({ environment: {}, assignments, folder: "/" });
const folder = "/data/remote";

function open(tokens?: string) {
  const host = new Simulation(1).host("a");
  host.files.makeFolder("/data");
  host.files.makeFolder(folder);
  if (tokens !== undefined) {
    const bytes = Buffer.from(tokens);
    host.files.create(`${folder}/tokens.json`).writeNow(bytes, 0, bytes.length, 0);
  }
  const certificate = new ApiCertificate({ files: {}, clock: host.clock, log: host.log });
  const parts = { config, roles: ["remote"], machine: host, version: "1", token: undefined, certificate } as const;
  return { host, again: () => ControlApi.open(parts), api: ControlApi.open(parts) };
}

test("beyond loopback nothing is begun where nobody could ever be let in", () => {
  expect(() => open()).toThrow("http.host is 0.0.0.0, beyond loopback");
});

test("damaged tokens are no reason to protect nothing, at this start and the next one", () => {
  const { host, again } = open("{ damaged");
  expect(host.files.exists(`${folder}/tokens.json.damaged`)).toBe(true);
  expect(again).not.toThrow();
});
