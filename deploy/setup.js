/**
 * Makes a fresh clone ready: `node deploy/setup.js start`, or `short` or `long` for what the test suites need, or `bench`
 * for the benchmarks. Runs on whatever Node the machine has and with nothing installed, so it is plain JavaScript. Where all
 * is in place it costs one hash of the lockfile, and one start of Node.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
/** Lies inside node_modules, so that it goes when they go. */
const stampPath = join(modules, ".tidemark-setup");
const pinnedLink = join(modules, ".bin/node");

function wantedStamp() {
  const lockfile = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  return `${lockfile.digest("hex")} ${process.platform}-${process.arch}\n`;
}

function isInstalled() {
  return existsSync(stampPath) && readFileSync(stampPath, "utf8") === wantedStamp();
}

function install() {
  console.log("Setting up: installing the packages that package-lock.json names (about 400 MB, some ten seconds).");
  // npm puts node_modules/.bin before the rest, and would pull the Node it runs on away from under itself.
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.startsWith(modules));
  // The engine warnings speak of the machine's Node, on which nothing but the launcher runs.
  const npm = spawnSync("npm", ["ci", "--include=dev", "--include=optional", "--loglevel=error"], {
    cwd: root,
    env: { ...process.env, PATH: path.join(delimiter) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (npm.status !== 0) {
    const why =
      npm.error?.message ?? (npm.signal ? `it was ended by ${npm.signal}` : `it ended with status ${npm.status}`);
    stop(
      `\`npm ci\` did not succeed: ${why}.\nSee its message above; once that is mended, run the same command again.`,
    );
  }
  writeFileSync(stampPath, wantedStamp());
}

/** The pinned Node is linked to a library that a bare machine lacks. Root gets it, as the programs that the tests talk to. */
function needRuntime() {
  const why = startFailure();
  if (why !== undefined && !(why.includes("libatomic") && installLibrary() && startFailure() === undefined)) {
    // npm runs what is first in node_modules/.bin: with a Node there that does not start nobody would read this again.
    rmSync(pinnedLink, { force: true });
    const advice = why.includes("libatomic")
      ? "It is in Debian's package libatomic1; as root: apt-get install libatomic1."
      : "";
    stop(
      `The Node that package.json pins does not start: ${why}\n${advice} Once that is mended, run the same command again.`,
    );
  }
  if (!existsSync(pinnedLink)) symlinkSync("../node/bin/node", pinnedLink);
}

/** What it says; undefined where it starts. */
function startFailure() {
  const { status, error, stderr } = spawnSync(join(modules, "node/bin/node"), ["--version"], { encoding: "utf8" });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

/** Whether it could be done. */
function installLibrary() {
  if (process.getuid?.() !== 0) return false;
  console.log("Setting up: installing Debian's package libatomic1, which the pinned Node needs.");
  const apt = "apt-get -qq -o DPkg::Lock::Timeout=120";
  const script = `${apt} update && ${apt} install -y --no-install-recommends libatomic1`;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status, stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8", env });
  if (status !== 0) console.error(`${stdout}${stderr}`);
  return status === 0;
}

function preparePeers(suite) {
  const peers = spawnSync("bash", [join(root, "deploy/setup-peers.sh"), suite], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (peers.status !== 0) stop("Setting up the programs that the tests talk to did not succeed; see above.");
}

function stop(message) {
  console.error(message);
  process.exit(1);
}

const purpose = process.argv[2];
if (!["start", "short", "long", "bench"].includes(purpose)) {
  console.error("Usage: node deploy/setup.js start|short|long|bench");
  process.exit(2);
}
if (!isInstalled()) install();
needRuntime();
if (purpose !== "start") preparePeers(purpose);
