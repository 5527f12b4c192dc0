#!/usr/bin/env node
/**
 * The `tidemark` command. In a checkout it runs on whatever Node the machine has, so it is plain JavaScript, and hands over to
 * the Node that package.json pins, which runs the TypeScript sources as they are. Started by a Node that is new enough, it
 * stays in this process. In a package the same modules lie as JavaScript in `dist`, for any Node that `engines` names.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import module, { createRequire } from "node:module";
import { Socket } from "node:net";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";

const self = fileURLToPath(import.meta.url);
const cacheFolder = join(dirname(self), "../../node_modules/.cache/tidemark");
/** In the environment: the descriptor of the pipe whose other end the launcher of another Node holds as long as it lives. */
const launcherVariable = "TIDEMARK_LAUNCHER_PIPE";

const isCheckout = existsSync(join(dirname(self), "main.ts"));

if (isSupported(process.versions.node)) await runHere();
else runOnPinnedNode();

/** A checkout runs on what is pinned alone; a package as its `engines` says. */
function isSupported(version) {
  const [major, minor] = version.split(".").map(Number);
  return isCheckout ? major === 26 && minor >= 10 : major > 22 || (major === 22 && minor >= 15);
}

async function runHere() {
  endWithLauncher();
  quietExperimentalWarnings();
  tuneCollector();
  if (isCheckout) warmCompileCache();
  module.enableCompileCache(cacheFolder);
  if (isCheckout) {
    await import("#src/host/node/own-modules.js");
    await import("./main.ts");
  } else {
    const modules = join(dirname(self), "../../dist");
    await import(pathToFileURL(join(modules, "host/node/own-modules.js")).href);
    await import(pathToFileURL(join(modules, "cli/main.js")).href);
  }
  if (isWarming()) await loadTheRest();
}

/** Told to a Node that runs already, other versions than the one that all is measured with do not bear it. */
function tuneCollector() {
  if (Number.parseInt(process.versions.node, 10) !== 26) return;
  // Threads are made with a small nursery, and whoever serves keeps this one small once all is loaded (`keepNursery`).
  setFlagsFromString("--max-semi-space-size=1");
  // There is no work for several: waking them takes longer, and they run where a request should.
  setFlagsFromString("--single-threaded-gc");
}

/** However the launcher ends, also by a signal that it cannot pass on: whoever ended it meant the program. */
function endWithLauncher() {
  const descriptor = process.env[launcherVariable];
  delete process.env[launcherVariable];
  if (descriptor === undefined) return;
  const pipe = new Socket({ fd: Number(descriptor), readable: true, writable: false });
  pipe.on("error", () => {});
  pipe.on("close", () => process.kill(process.pid, "SIGTERM"));
  pipe.resume();
  pipe.unref();
}

/** What the program loads later, and what its threads and processes run, is compiled with the rest: they too find it in the cache. */
async function loadTheRest() {
  await import("ws");
  await import("yaml");
  await import("./commands.ts");
  await import("./running.ts");
  await import("#src/host/node/web-socket-client.ts");
  await import("#src/control/http/validation.ts");
  await import("#src/control/metrics/metrics-text.ts");
  await import("#src/control/local-side.ts");
  await import("#src/control/local-part.ts");
  await import("#src/control/interceptor-part.ts");
  await import("#src/control/volume-opener.ts");
  await import("#src/control/remote-side.ts");
  await import("#src/control/store-keeper.ts");
  await import("#src/control/view-server.ts");
  await import("#src/control/restore-process.ts");
}

function isWarming() {
  return process.env.TIDEMARK_WARMING === "1";
}

/**
 * Stripping the types takes half of a start, and 20 MB that stay resident. So a process of its own does it once, after
 * each change of the sources, and all others find the result in the cache.
 */
function warmCompileCache() {
  if (isWarming()) return;
  const stampFile = join(cacheFolder, "warmed");
  try {
    const stamp = sourcesStamp();
    if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
    spawnSync(process.execPath, [self, "--version"], {
      env: { ...process.env, TIDEMARK_WARMING: "1" },
      stdio: "ignore",
    });
    mkdirSync(cacheFolder, { recursive: true });
    writeFileSync(stampFile, stamp);
  } catch {
    // A folder that may not be written: every start then costs what the first one does.
  }
}

/**
 * Every command asks for it, so it goes by names and by the times of folders alone: to look at each file takes longer than much of
 * what is asked. A file that was written over where it lies is found by Node itself, and is stripped by the next start that meets it.
 */
function sourcesStamp() {
  const sources = `${join(dirname(self), "..")}/`;
  const names = readdirSync(sources, { recursive: true });
  const folders = names.filter((name) => !/\.[^/]*$/.test(name));
  let newestMs = statSync(sources).mtimeMs;
  for (const name of folders) newestMs = Math.max(newestMs, statSync(sources + name).mtimeMs);
  return `${process.version} ${names.length} ${newestMs}\n`;
}

/** What `--disable-warning=ExperimentalWarning` does, for a process that is already running. */
function quietExperimentalWarnings() {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    if (rest[0] !== "ExperimentalWarning" && rest[0]?.type !== "ExperimentalWarning") emitWarning(warning, ...rest);
  };
}

function runOnPinnedNode() {
  const child = spawnWithSockets(findPinnedNode(), [self, ...process.argv.slice(2)]);
  // A terminal signals all processes of the foreground itself: passed on as well, one Ctrl-C would count as two.
  const ownedByTerminal = process.stdin.isTTY ? ["SIGINT", "SIGQUIT"] : [];
  for (const signal of ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR2"]) {
    process.on(signal, () => ownedByTerminal.includes(signal) || child.kill(signal));
  }
  child.on("error", (error) => fail(`the pinned Node could not be started: ${error.message}`));
  child.on("exit", (status, signal) => process.exit(status ?? 128 + constants.signals[signal]));
}

/** Listening sockets from the service manager (descriptors 3 and up) are meant for the process that names itself in LISTEN_PID. */
function spawnWithSockets(node, nodeArguments) {
  const passed = process.env.LISTEN_PID === String(process.pid) ? Number(process.env.LISTEN_FDS) : 0;
  const socketCount = Math.max(passed || 0, 0);
  const sockets = Array.from({ length: socketCount }, (_, index) => 3 + index);
  const options = {
    stdio: ["inherit", "inherit", "inherit", ...sockets, "pipe"],
    env: { ...process.env, [launcherVariable]: String(3 + socketCount) },
  };
  if (socketCount === 0) return spawn(node, nodeArguments, options);
  const script = 'export LISTEN_PID=$$; exec "$0" "$@"';
  return spawn("/bin/sh", ["-c", script, node, ...nodeArguments], options);
}

function findPinnedNode() {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("node/package.json")), "bin", "node");
  } catch {
    return fail(
      isCheckout
        ? "its packages are not installed. In a checkout, `node deploy/setup.js start` installs them."
        : `it takes Node 22.15 or newer, and this is ${process.version}. Install one, or \`npm install node@26\` beside it.`,
    );
  }
}

function fail(message) {
  console.error(`tidemark: ${message}`);
  process.exit(1);
}
