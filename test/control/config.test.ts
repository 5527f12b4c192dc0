import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { defaultGroupPolicy } from "#src/appliance/local/group-policy.ts";
import { apiHelp } from "#src/cli/api-client.ts";
import { type ConfigSources, loadConfig } from "#src/control/config.ts";
import { checkConfig } from "#src/control/config-check.ts";
import { configSchema, entriesOf } from "#src/control/config-schema.ts";
import { configAsRecord, configAsYaml, configList } from "#src/control/config-text.ts";
import { type RoleName, roleNames } from "#src/control/role.ts";
import { volumeOptionDefaults } from "#src/interceptor/volume-options.ts";
import { projectRoot } from "#test/tidy/project-files.ts";

const nothing: ConfigSources = { environment: {}, assignments: [], folder: "/start" };

function fromFile(text: string, more: Partial<ConfigSources> = {}) {
  return loadConfig({ ...nothing, file: { name: "/etc/tidemark.yaml", text }, ...more });
}

describe("values", () => {
  test("everything has a default, and the defaults can be started", () => {
    const { config, origins } = loadConfig(nothing);
    expect([config.nbd.port, config.http.port, config.wire.port]).toEqual([10809, 7878, 7879]);
    expect([config.data, origins.size]).toEqual(["/start/var", 0]);
    checkConfig(config, roleNames);
    for (const role of ["interceptor", "remote"] as const) checkConfig(config, [role]);
  });

  test("what an appliance does where nobody has chosen is what the configuration says that it does", () => {
    const { modes, local, interceptor } = loadConfig(nothing).config;
    const { mode, spoolLimitBytes, spoolSegmentBytes, spoolKeepBytes } = defaultGroupPolicy;
    expect([modes.linkLoss, modes.degradeAfterSeconds * 1000]).toEqual([mode.linkLoss, mode.degradeAfterMs]);
    const { limit, segment, keep } = local.spool;
    expect([limit, segment, keep]).toEqual([spoolLimitBytes, spoolSegmentBytes, spoolKeepBytes]);
    const { applianceLost, flush, trackAfterSeconds } = interceptor;
    expect({ whenLost: applianceLost, flush, trackAfterMs: trackAfterSeconds * 1000 }).toEqual({
      whenLost: volumeOptionDefaults.whenLost,
      flush: volumeOptionDefaults.flush,
      trackAfterMs: volumeOptionDefaults.trackAfterMs,
    });
  });

  test("the command line wins over the environment, and that over the file", () => {
    const file = { name: "a.yaml", text: "nbd: {port: 1, host: a}\nhttp: {port: 1}\nwire: {port: 1}" };
    const environment = { TIDEMARK_NBD_PORT: "2", TIDEMARK_HTTP_PORT: "2" };
    const { config } = loadConfig({ ...nothing, file, environment, assignments: ["nbd.port=3"] });
    expect([config.nbd.port, config.http.port, config.wire.port, config.nbd.host]).toEqual([3, 2, 1, "a"]);
  });

  test("a variable's name has the words of the key", () => {
    const environment = { TIDEMARK_MODES_DEGRADE_AFTER_SECONDS: "2.5", TIDEMARK_NBD_TLS_CERT_FILE: "c.pem" };
    const { config } = loadConfig({ ...nothing, environment });
    expect([config.modes.degradeAfterSeconds, config.nbd.tls.certFile]).toEqual([2.5, "/start/c.pem"]);
  });

  test("a path in the file is relative to the file, others to where the program was started", () => {
    const { config } = fromFile("data: d\nnbd: {socket: s}", { assignments: ["wire.socket=w"] });
    expect([config.data, config.nbd.socket, config.wire.socket]).toEqual(["/etc/d", "/etc/s", "/start/w"]);
  });

  test("what can be switched off is off, and what need not be is none", () => {
    const { config } = fromFile("nbd: {port: off, socket: none}\nmodes: {lagBytes: off, lagSeconds: 5}\nfaults: none");
    expect([config.nbd.port, config.nbd.socket]).toEqual([undefined, undefined]);
    expect([config.modes.lagBytes, config.modes.lagSeconds]).toEqual([Number.POSITIVE_INFINITY, 5]);
    expect(config.faults).toEqual([]);
  });

  test("sizes are read as people write them, in a section that may be empty", () => {
    const { config } = fromFile("local: {spool: {limit: 1.5G, segment: 8388608}}\nhttp:\n# nothing\n");
    expect(config.local.spool).toMatchObject({ limit: 1.5 * 2 ** 30, segment: 8 * 2 ** 20 });
  });

  test("a name in its section and a name with dots mean the same", () => {
    const nested = fromFile("nbd:\n  port: 5\n  tls:\n    certFile: c.pem\nlocal:\n  spool:\n    limit: 1G\n");
    const dotted = fromFile("nbd.port: 5\nnbd.tls.certFile: c.pem\nlocal.spool.limit: 1G\n");
    const both = fromFile("nbd:\n  tls.certFile: c.pem\nnbd.port: 5\nlocal.spool:\n  limit: 1G\n");
    expect(dotted.config).toEqual(nested.config);
    expect(both.config).toEqual(nested.config);
    expect([...dotted.origins.keys()]).toEqual(["nbd.port", "nbd.tls.certFile", "local.spool.limit"]);
  });

  test("an empty file says nothing", () => {
    expect(fromFile("# only a comment\n").config).toMatchObject({ http: { port: 7878 } });
  });
});

describe("refused with the line", () => {
  test.each([
    ["nbd:\n  prot: 5\n", "/etc/tidemark.yaml, line 2: there is no setting 'nbd.prot'; did you mean 'nbd.port'?"],
    ["\n\nhtpp:\n  port: 5\n", "line 3: there is no setting 'htpp'; did you mean 'http'?"],
    ["entirely: 5\n", "line 1: there is no setting 'entirely'; 'tidemark config' lists all"],
    ["__proto__: {a: 1}\n", "line 1: there is no setting '__proto__'"],
    ["constructor: {a: 1}\n", "line 1: there is no setting 'constructor'"],
    ["nbd:\n  port: 70000\n", "line 2: nbd.port must be a whole number from 0 to 65535, or off, not '70000'"],
    ["nbd:\n  port: 0x10\n", "line 2: nbd.port must be"],
    ["nbd:\n  port:\n", "line 2: nbd.port must be"],
    ["nbd:\n  port: [1]\n", "line 2: nbd.port must be"],
    ["nbd: 5\n", "line 1: nbd must be a section"],
    ["[1]\n", "line 1: the configuration must be a section"],
    ["modes: {linkLoss: wait}\n", "line 1: modes.linkLoss must be stall or degrade, not 'wait'"],
    ["local:\n  spool:\n    limit: 1\n", "line 3: local.spool.limit must be a size from 16M"],
    ["http: {port: 1, port: 2}\n", "line 1: is no YAML"],
    ["http:\n  port: 1\nhttp.port: 2\n", "line 3: http.port stands in /etc/tidemark.yaml, line 2 already"],
    ["nbd.prot: 5\n", "line 1: there is no setting 'nbd.prot'; did you mean 'nbd.port'?"],
    ["nbd.tls.certfile: 5\n", "line 1: there is no setting 'nbd.tls.certfile'; did you mean 'nbd.tls.certFile'?"],
    ["htpp.port: 5\n", "line 1: there is no setting 'htpp.port'"],
    ["nbd..port: 5\n", "line 1: there is no setting 'nbd..port'"],
    ["data.path: 5\n", "line 1: data is no section"],
    ["nbd.tls: 5\n", "line 1: nbd.tls must be a section"],
    ["http: {port: 1\n", "is no YAML"],
    ["a: &a [1]\nb: [*a, *a]\n", "there is no setting 'a'"],
    ['data: "a\\0b"\n', "line 1: data must be a path"],
  ])("%j", (text, message) => {
    expect(() => fromFile(text)).toThrow(message);
  });

  test("a file that is too long", () => {
    expect(() => fromFile(`# ${"x".repeat(2 ** 20)}`)).toThrow("a configuration has at most 1048576 bytes");
  });
});

describe("refused on the command line and in the environment", () => {
  test.each([
    ["nbd.prot=5", "--set: there is no setting 'nbd.prot'; did you mean 'nbd.port'?"],
    ["nbd.port", "--set takes KEY=VALUE, not 'nbd.port'"],
    ["nbd=5", "--set: 'nbd' is a section; its settings are host, port, socket, tls"],
    ["nbd.port.x=5", "there is no setting 'nbd.port.x'"],
    ["__proto__.a=5", "there is no setting '__proto__.a'"],
    ["nbd.port=x", "--set: nbd.port must be"],
    ["wire.token=0123456789abcdef", "others can read the command line"],
  ])("--set %s", (assignment, message) => {
    expect(() => loadConfig({ ...nothing, assignments: [assignment] })).toThrow(message);
  });

  test("a variable that is nearly a setting", () => {
    const environment = { TIDEMARK_NBD_PROT: "5" };
    expect(() => loadConfig({ ...nothing, environment })).toThrow("TIDEMARK_NBD_PROT is no setting; did you mean");
  });

  test("but not one that is for something else", () => {
    const environment = { TIDEMARK_API: "a", TIDEMARK_SERVICE_HOST: "b", TIDEMARK_PORT_7878_TCP: "c", HOME: "d" };
    expect(loadConfig({ ...nothing, environment }).origins.size).toBe(0);
  });

  test.each(apiHelp.match(/TIDEMARK_\w+/g) ?? [])("and not one of the commands': %s", (name) => {
    expect(loadConfig({ ...nothing, environment: { [name]: "x" } }).origins.size).toBe(0);
  });
});

describe("settings that do not fit together", () => {
  const everyRole = roleNames;
  test.each<[string[], readonly RoleName[], string]>([
    [
      ["http.host=0.0.0.0"],
      everyRole,
      "anybody could command this program: set http.tls.certFile and http.tls.keyFile",
    ],
    [["http.host=::"], everyRole, "http.tls.keyFile"],
    [["nbd.host=10.0.0.1"], ["interceptor"], "nbd.host is 10.0.0.1, beyond loopback"],
    [["nbd.host=10.0.0.1", "nbd.tls.certFile=c", "nbd.tls.keyFile=k"], ["interceptor"], "set nbd.tls.caFile"],
    [["wire.host=0.0.0.0"], ["remote"], "could write into the journals"],
    [["remote.address=elsewhere:7879"], ["local"], "set wire.tls.caFile, and wire.tokenFile"],
    [["remote.address=elsewhere"], ["local"], "remote.address must be HOST:PORT or the path"],
    [[], ["local"], "set remote.address"],
    [["nbd.port=off"], ["interceptor"], "hosts have no way to attach volumes"],
    [["wire.port=off"], ["remote"], "no way to connect"],
    [["nbd.tls.certFile=c"], ["interceptor"], "nbd.tls.certFile and nbd.tls.keyFile belong together"],
    [["nbd.tls.caFile=c"], ["interceptor"], "nbd.tls.caFile is for TLS"],
    [["local.spool.limit=16M"], ["local"], "with 64M for that it is 256M or more, not 16M"],
    [["faults=local.after-spool=explode"], ["remote"], "'local.after-spool=explode' is no fault"],
    [["local.spool.limit=64M"], ["local"], "at least four"],
    [["modes.lagBytes=5G"], ["local"], "cannot be more than local.spool.limit"],
    [[`nbd.socket=/${"s".repeat(107)}`], ["interceptor"], "at most 107 bytes"],
    [[`data=/${"d".repeat(100)}`], everyRole, "views.sock: choose a shorter folder"],
    [[`data=/${"d".repeat(100)}`], ["interceptor"], "local.sock: choose a shorter folder"],
  ])("%j for %j", (assignments, roles, message) => {
    const { config } = loadConfig({ ...nothing, assignments });
    expect(() => checkConfig(config, roles)).toThrow(message);
  });

  test("what a role does not use need not fit", () => {
    const assignments = ["nbd.port=off", "wire.host=0.0.0.0", "remote.address=/wire.sock"];
    checkConfig(loadConfig({ ...nothing, assignments }).config, ["local"]);
  });

  test("beyond loopback all goes well with what is asked for", () => {
    const tls = ["certFile=c", "keyFile=k", "caFile=a"];
    const assignments = [
      ...["http", "nbd", "wire"].map((section) => `${section}.host=0.0.0.0`),
      ...tls.slice(0, 2).map((item) => `http.tls.${item}`),
      ...["nbd", "wire"].flatMap((section) => tls.map((item) => `${section}.tls.${item}`)),
      ...["http", "wire"].map((section) => `${section}.tokenFile=t`),
      "remote.address=elsewhere:7879",
    ];
    const { config } = loadConfig({ ...nothing, assignments });
    for (const role of roleNames) checkConfig(config, [role]);
  });
});

describe("the configuration as text", () => {
  test("is a file that says the same", () => {
    const assignments = ["nbd.port=off", "local.spool.limit=1536M", "modes.lagSeconds=2.5", "data=a: b #c", "faults=x"];
    const loaded = loadConfig({ ...nothing, assignments });
    expect(fromFile(configAsYaml(loaded)).config).toEqual(loaded.config);
  });

  test("fault 35: shows no secret, not even when it is refused", () => {
    const loaded = fromFile("wire: {token: hunter2hunter2hunter2}", {
      environment: { TIDEMARK_HTTP_TOKEN: "hunter3hunter3hunter3" },
    });
    const shown = configAsYaml(loaded) + JSON.stringify(configAsRecord(loaded));
    expect(shown).not.toContain("hunter");
    expect(configAsRecord(loaded)).toMatchObject({ "wire.token": "***", "http.token": "***" });
    expect(() => fromFile('wire: {token: "hunter2\\0"}')).toThrow(/^(?!.*hunter).*wire\.token must be/);
  });

  test("says where a value comes from", () => {
    expect(configAsYaml(fromFile("data: /d\n"))).toContain("(from /etc/tidemark.yaml, line 1)\ndata: /d\n");
  });

  test("is in the documents, word by word", () => {
    const document = readFileSync(join(projectRoot, "docs/configuration.md"), "utf8");
    expect(document).toContain(configList());
  });

  test("stands in the documents as an example that can be used", () => {
    const document = readFileSync(join(projectRoot, "docs/configuration.md"), "utf8");
    const examples = [...document.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = ""]) => text);
    const [nested, dotted] = examples.map((text) => fromFile(text).config);
    expect([examples.length, dotted]).toEqual([2, nested]);
  });

  test("each setting has one sentence, and no secret has a default", () => {
    for (const { setting } of entriesOf(configSchema)) {
      expect(setting.description).toMatch(/^[a-z].*[^.]$/);
      if (setting.secret) expect(setting.fallback).toBe(undefined);
    }
  });
});
