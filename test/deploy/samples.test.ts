/** The sample configurations, the compose file and the cluster's example: each loads, and means what the program understands. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { loadConfig } from "#src/control/config.ts";
import { checkConfig } from "#src/control/config-check.ts";
import { unusedSettings } from "#src/control/config-use.ts";
import { type RoleName, roleNames } from "#src/control/role.ts";
import { projectRoot } from "#test/tidy/project-files.ts";

const text = (path: string): string => readFileSync(join(projectRoot, "deploy", path), "utf8");

function load(name: string, content: string, roles: readonly RoleName[], environment: Record<string, string> = {}) {
  const loaded = loadConfig({ file: { name, text: content }, environment, assignments: [], folder: "/etc/tidemark" });
  checkConfig(loaded.config, roles);
  return { ...loaded, unused: unusedSettings(loaded, roles) };
}

test.each([
  ["tidemark.yaml", roleNames],
  ["site.yaml", ["interceptor"]],
  ["site.yaml", ["local"]],
  ["remote.yaml", ["remote"]],
] as const)("the sample %s is a configuration of the roles %j", (name, roles) => {
  const { config, unused } = load(`/etc/tidemark/${name}`, text(`sample/${name}`), roles);
  expect(unused).toEqual([]);
  expect(config.data).toBe("/var/lib/tidemark");
});

interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly read_only?: boolean;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const compose = parse(text("container/compose.yaml"), { merge: true }) as Compose;

test("the compose file has the three roles, each with settings that it understands, and nothing that it need not have", () => {
  for (const role of roleNames) {
    const { command, environment = {}, cap_drop, read_only } = compose.services[role] as Service;
    expect(command[0]).toBe(role);
    const { config } = load("none.yaml", "", [role], environment);
    expect(config.wire.tokenFile).toBe("/run/secrets/token");
    expect({ cap_drop, read_only }).toEqual({ cap_drop: ["ALL"], read_only: true });
  }
  const ports = roleNames.map((role) => compose.services[role]?.environment?.TIDEMARK_HTTP_PORT);
  expect(new Set(ports).size).toBe(roleNames.length);
});

test("interceptor and local appliance share their data, and the remote one has its own", () => {
  const [interceptor, local, remote] = ["interceptor", "local", "remote"].map(
    (role) => compose.services[role]?.volumes,
  );
  expect(interceptor).toEqual(local);
  expect(remote).not.toEqual(local);
});

test("the token that containers share lies outside of the checkout, and where it once lay neither an image nor a commit takes it", () => {
  const { token } = compose.secrets;
  expect(token?.file).toMatch(/^\/etc\//);
  for (const place of [text("container/compose.yaml"), readFileSync(join(projectRoot, "docs/install.md"), "utf8")])
    expect(place).toMatch(new RegExp(`openssl rand -hex 32 .* -m 600 -o 10001 /dev/stdin ${token?.file}$`, "m"));
  for (const ignored of [".dockerignore", ".gitignore"])
    expect(readFileSync(join(projectRoot, ignored), "utf8").split("\n")).toContain("deploy/container/token");
});

test("every volume of the compose file is declared, and every folder is there", () => {
  for (const { volumes } of Object.values(compose.services)) {
    for (const [source = ""] of volumes.map((volume) => volume.split(":"))) {
      const isThere = source.startsWith(".")
        ? existsSync(join(projectRoot, "deploy/container", source))
        : Object.hasOwn(compose.volumes, source);
      expect(isThere, source).toBe(true);
    }
  }
});

test("Prometheus asks each of the roles, with the alerts that there are, and Grafana asks Prometheus", () => {
  const prometheus = parse(text("container/prometheus.yml"));
  const ports = roleNames.map((role) => compose.services[role]?.environment?.TIDEMARK_HTTP_PORT);
  const [{ static_configs }] = prometheus.scrape_configs;
  expect(static_configs[0].targets.toSorted()).toEqual(ports.map((port) => `127.0.0.1:${port}`).toSorted());
  for (const file of prometheus.rule_files) {
    expect(existsSync(join(projectRoot, "deploy/prometheus", file.replace("rules/", ""))), file).toBe(true);
  }
  const { volumes } = compose.services.grafana as Service;
  const [{ options }] = parse(text("container/grafana/dashboards.yaml")).providers;
  expect(volumes).toContain(`../grafana:${options.path}:ro`);
  const [{ url }] = parse(text("container/grafana/datasource.yaml")).datasources;
  expect(compose.services.prometheus?.command.join(" ")).toContain(
    `--web.listen-address=${url.replace("http://", "")}`,
  );
});

test("the container's program is started by nobody in particular", () => {
  const lines = text("container/Containerfile").split("\n");
  expect(lines.filter((line) => /^USER /.test(line))).toEqual(["USER 10001:10001"]);
  expect(lines.indexOf("USER 10001:10001")).toBeLessThan(lines.findIndex((line) => line.startsWith("ENTRYPOINT")));
});

test("the cluster's example holds together", () => {
  const documents = parseAllDocuments(text("kubernetes/remote.yaml")).map((one) => one.toJS());
  const [configMap, service, statefulSet] = documents;
  expect(documents.map((one) => one.kind)).toEqual(["ConfigMap", "Service", "StatefulSet"]);
  const { config, unused } = load("tidemark.yaml", configMap.data["tidemark.yaml"], ["remote"]);
  expect(unused).toEqual([]);
  const { spec } = statefulSet;
  const pod = spec.template.spec;
  const [container] = pod.containers;
  expect(spec.replicas).toBe(1);
  expect(spec.selector.matchLabels).toEqual(service.spec.selector);
  expect(spec.template.metadata.labels).toEqual(service.spec.selector);
  expect(service.spec.ports[0].targetPort).toBe(container.ports[0].name);
  expect(container.ports[0].containerPort).toBe(config.wire.port);
  expect(pod.securityContext.runAsNonRoot).toBe(true);
  const mounts = container.volumeMounts.map((mount: { readonly name: string }) => mount.name);
  const claims = spec.volumeClaimTemplates.map(
    (claim: { readonly metadata: { readonly name: string } }) => claim.metadata.name,
  );
  const volumes = pod.volumes.map((volume: { readonly name: string }) => volume.name);
  expect(mounts.toSorted()).toEqual([...claims, ...volumes].toSorted());
  const paths = container.volumeMounts.map((mount: { readonly mountPath: string }) => mount.mountPath);
  expect(paths).toContain(config.data);
});
