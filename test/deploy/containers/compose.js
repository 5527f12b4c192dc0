/**
 * Starts a service of deploy/container/compose.yaml by Podman, whose own compose takes no `network_mode: host` in Debian 12:
 * `node compose.js SERVICE`, in the folder with the file. Knows the options that the roles have, and refuses others.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";

const [, , name] = process.argv;
const file = parse(readFileSync("compose.yaml", "utf8"), { merge: true });
const project = file.name;

const meaning = {
  image: () => [],
  build: () => [],
  command: () => [],
  depends_on: () => [],
  network_mode: (mode) => ["--network", mode],
  init: () => ["--init"],
  read_only: () => ["--read-only"],
  restart: (policy) => ["--restart", policy],
  stop_grace_period: (time) => ["--stop-timeout", time.replace("s", "")],
  cap_drop: (names) => names.flatMap((one) => ["--cap-drop", one]),
  security_opt: (options) => options.flatMap((one) => ["--security-opt", one.replace(":true", "")]),
  tmpfs: (folders) => folders.flatMap((folder) => ["--tmpfs", folder]),
  secrets: (names) => names.flatMap((one) => ["--volume", `${resolve(file.secrets[one].file)}:/run/secrets/${one}:ro`]),
  environment: (variables) => Object.entries(variables).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
  volumes: (volumes) => volumes.flatMap((volume) => ["--volume", `${project}_${volume}`]),
};

const service = file.services[name];
const options = Object.entries(service).flatMap(([key, value]) => meaning[key](value));
const names = ["--name", `${project}_${name}_1`, "--detach"];
const line = ["run", ...names, ...options, `localhost/${service.image}`, ...service.command];
process.exit(spawnSync("podman", line, { stdio: ["ignore", "ignore", "inherit"] }).status ?? 1);
