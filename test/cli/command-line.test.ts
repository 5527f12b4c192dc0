/** The command as it is typed: what it says, where, and with which status it ends. */
import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { run } from "#test/clients/command.ts";
import { startServer, temporaryFolder } from "#test/clients/harness.ts";
import { onceForFile } from "#test/once-for-file.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import type { LineAnswer } from "./lines-in-turn.ts";
import { typedInTurn } from "./typed-in-turn.ts";

const launcher = join(projectRoot, "src/cli/launch.js");

async function typed(...programArguments: string[]) {
  const { exitCode, stdout, stderr } = await run(process.execPath, [launcher, ...programArguments]);
  return { exitCode, stdout, stderr };
}

async function disk(): Promise<string> {
  const folder = await temporaryFolder();
  const path = folder.file("disk");
  await writeFile(path, "");
  await truncate(path, 1024 * 1024);
  return path;
}

const names = [
  ..."up interceptor local remote volume attach detach group mode status trace job collect scrub".split(" "),
  ..."verify index store dump config demo story".split(" "),
];

describe("help", () => {
  test.each([[["--help"]], [["help"]]])("%j lists the commands", async (line) => {
    expect(await typed(...line)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("serve"), stderr: "" });
  });

  test.each([[["serve", "--help"]], [["help", "serve"]], ...names.map((name) => [[name, "-h"]])])(
    "%j has an example",
    async (line) => {
      expect(await typed(...line)).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining("Example:"),
        stderr: "",
      });
    },
  );

  test("--version tells the package's", async () => {
    expect(await typed("--version")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^tidemark \d+\.\d+\.\d+\n$/),
    });
  });
});

/** And some of what is said of it. */
type WrongLine = readonly [readonly string[], string];

const wrongLines: readonly WrongLine[] = [
  [["nope"], "no command 'nope'"],
  [["--nope"], "no option '--nope'"],
  [["serve"], "serve takes one FILE"],
  [["serve", ""], "serve takes one FILE"],
  [["serve", "a", "b"], "serve takes one FILE"],
  [["serve", "a", "--prt", "5"], "Unknown option '--prt'; did you mean '--port'? --help lists the options"],
  [["statsu"], "there is no command 'statsu'; did you mean 'status'?"],
  [["serve", "a", "--port", "many"], "--port must be a whole number from 0 to 65535, not 'many'"],
  [["serve", "a", "--port=-1"], "--port must be a whole number from 0 to 65535, not '-1'"],
  [["serve", "a", "--socket", "s", "--port", "1"], "choose between --socket and --port"],
  [["serve", "a", "--socket="], "--socket takes a path of 1 to 107 bytes"],
  [["serve", "a", "--socket", "s".repeat(108)], "--socket takes a path of 1 to 107 bytes"],
  [["serve", "a", "--name", "n".repeat(4097)], "--name has at most 4096 bytes"],
  [["serve", "a", "--host", "0.0.0.0"], "on 0.0.0.0 anybody could read and write"],
  [["serve", "a", "--tls", "require"], "TLS needs --tls-cert and --tls-key"],
  [["serve", "a", "--tls-cert", "c"], "--tls-cert and --tls-key belong together"],
  [["demo", "a"], "demo takes no 'a'"],
  [["attach"], "attach takes one NAME"],
  [["attach", "../disk"], "'../disk' is no name of a volume or a view"],
  [["attach", "disk", "--mkfs", "fat"], "--mkfs takes ext4, xfs, btrfs, not 'fat'"],
  [["attach", "disk", "--file", "--mount", "m"], "a file cannot be mounted"],
  [["attach", "disk", "--read-only", "--mkfs", "ext4"], "choose between --read-only and --mkfs"],
  [["detach", "disk", "--within", "0"], "--within must be a whole number from 1 to 86400, not '0'"],
  [["story", "a", "b"], "story takes one VOLUME at most"],
  [["up", "a"], "up takes no 'a'"],
  [["up", "--set", "nbd.prot=5"], "there is no setting 'nbd.prot'; did you mean 'nbd.port'?"],
  [["up", "--set", "nbd.host=0.0.0.0"], "nbd.host is 0.0.0.0, beyond loopback"],
  [["up", "--set", "wire.port=1"], "wire.port (from --set) has no effect where all roles run in one process"],
  [["remote", "--set", "nbd.port=1"], "nbd.port (from --set) has no effect in the role remote"],
  [["local"], "set remote.address"],
  [["volume"], "volume is followed by add, ls, rm, resize, unfence, resync or move-spool"],
  [["volume", "move"], "not 'move'"],
  [["job"], "job is followed by ls, show or cancel"],
  [["verify", "disk"], "verify takes no 'disk'"],
  [["collect", "now"], "collect takes no 'now'"],
  [["scrub", "--dry-run"], "Unknown option '--dry-run'"],
  [["index", "drop"], "index is followed by rebuild, not 'drop'"],
  [["store", "key"], "store is followed by key ls, key add, key rm or retry"],
  [["store", "key", "rm"], "store key rm takes one ID"],
  [["store", "key", "add"], "store key add takes one FILE"],
  [["job", "show"], "job show takes one ID"],
  [["volume", "add", "--source", "/a"], "volume add takes one NAME"],
  [["volume", "add", "a"], "volume add needs --source"],
  [["volume", "add", "a", "--source", "/a", "--size", "big"], "--size takes a size like 512M or 10G, not 'big'"],
  [
    ["volume", "add", "a", "--source", "/a", "--mode", "fast"],
    "a mode is sync or async or aggregated or auto, not 'fast'",
  ],
  [["volume", "rm"], "volume rm takes one NAME"],
  [["drill", "disk", "--", "x".repeat(4097)], "a command has at most 4096 characters"],
  [["group"], "group is followed by ls, rm or forget"],
  [["group", "rm"], "group rm takes one NAME"],
  [["mode", "a"], "mode takes a GROUP and sync or async"],
  [["mode", "a", "fast"], "a mode is sync or async or aggregated or auto, not 'fast'"],
  [["status", "--api", "nowhere"], "--api takes a URL"],
  [
    ["dump", "store", "/"],
    "dump takes a PATH, with spool or journal before a FOLDER, or object, segment, piece or snapshot before a FILE",
  ],
  [
    ["dump", "__proto__", "/"],
    "dump takes a PATH, with spool or journal before a FOLDER, or object, segment, piece or snapshot before a FILE",
  ],
  [["dump"], "dump takes a PATH"],
  [
    ["dump", "object"],
    "dump takes a PATH, with spool or journal before a FOLDER, or object, segment, piece or snapshot before a FILE",
  ],
];

describe("wrong use ends with 2 and one line", () => {
  const answers = onceForFile(() => typedInTurn(wrongLines.map(([line]) => line)));

  test.each(wrongLines.map((one, index) => [...one, index] as const))("%j", async (_, message, index) => {
    const { exitCode, stdout, stderr } = (await answers())[index] as LineAnswer;
    expect([exitCode, stdout, stderr.split("\n").length]).toEqual([2, "", 2]);
    expect(stderr).toContain(message);
  });

  test.each([[["nope"]], [["serve", "a", "--prt", "5"]], [["up", "--set", "nbd.prot=5"]]])(
    "%j, in a process of its own too",
    async (line) => {
      const index = wrongLines.findIndex(([one]) => one.join(" ") === line.join(" "));
      expect(await typed(...line)).toEqual((await answers())[index]);
    },
  );
});

const vainLines: readonly WrongLine[] = [
  [["serve", "/nonexistent/disk"], "'truncate -s 1G /nonexistent/disk' would make an empty disk"],
  [["serve", "/"], "/ is a folder"],
  [["serve", "/dev/null"], "neither a file nor a block device"],
  [["status", "--token-file", "/nonexistent"], "--token-file /nonexistent cannot be read: there is no such file"],
  [["status", "--api-ca", "/nonexistent"], "--api-ca /nonexistent: no such file or folder"],
  [["dump", "spool", "/dev/null/a"], "/dev/null/a is, or lies behind, a file where a folder is needed"],
  [["status", "--api", "http://127.0.0.1:1"], "no answer from http://127.0.0.1:1: nothing listens there"],
  [["dump", "spool", "/nonexistent"], "/nonexistent: no such file or folder"],
  [["dump", "journal", "/tmp"], "/tmp holds no journal"],
  [["dump", "object", "/nonexistent"], "/nonexistent: no such file or folder"],
  [["dump", "object", "/tmp"], "/tmp is a folder"],
];

describe("what cannot be done ends with 1 and says why", () => {
  const answers = onceForFile(() => typedInTurn(vainLines.map(([line]) => line)));

  test.each(vainLines.map((one, index) => [...one, index] as const))("%j", async (_, message, index) => {
    const { exitCode, stderr } = (await answers())[index] as LineAnswer;
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  });

  test.each([
    [["demo", "--data", "/proc/nowhere"], "the folder /proc/nowhere cannot be made"],
    [["up", "--data", "/nonexistent/a/b"], "there is no folder /nonexistent/a; 'mkdir -p /nonexistent/a' makes it"],
    [["up", "--data", "/dev/null/a"], "/dev/null/a: a part of the path is a file where a folder"],
    [["up", "--config", "/dev/null/a"], "--config /dev/null/a is, or lies behind, a file where a folder is needed"],
    [
      ["up", "--set", "http.tokenFile=/nonexistent"],
      "http.tokenFile /nonexistent cannot be read: there is no such file",
    ],
    [["up", "--config", "/nonexistent/a.yaml"], "--config /nonexistent/a.yaml: no such file or folder"],
  ])("%j", async (line, message) => {
    const { exitCode, stderr } = await typed(...line);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  });

  test("a folder that does not exist for the socket", async () => {
    const { exitCode, stderr } = await typed("serve", await disk(), "--socket", "/nonexistent/socket");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("there is no folder /nonexistent")]);
  });

  test("a certificate that is none", async () => {
    const file = await disk();
    const { exitCode, stderr } = await typed("serve", file, "--port", "0", "--tls-cert", file, "--tls-key", file);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("holds no PEM text")]);
  });

  test("a file that another server serves for writing", async () => {
    const file = await disk();
    await startServer(file, ["--port", "0"]);
    const { exitCode, stderr } = await typed("serve", file, "--port", "0");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("in use by another program")]);
    // Reading is nobody's harm.
    await startServer(file, ["--port", "0", "--read-only"]);
  });

  test("a socket that another server listens on, however its path is written", async () => {
    const file = await disk();
    const folder = await temporaryFolder();
    const server = await startServer(file, ["--socket", folder.file("socket"), "--read-only"]);
    const roundabout = `${folder.path}/../${folder.path.split("/").at(-1)}/socket`;
    const { exitCode, stderr } = await typed("serve", file, "--read-only", "--socket", roundabout);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("it is in use")]);
    await server.stop();
  });
});
