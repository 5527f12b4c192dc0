/** `tidemark demo`: what `npm start` runs. All roles with a demo volume, and what to try with it. */
import { join } from "node:path";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { Program } from "#src/control/program.ts";
import { roleNames } from "#src/control/role.ts";
import { demoVolumeBytes } from "#src/core/limits.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { defaultApiUrl } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError, wholeNumber } from "./command.ts";
import { configHelp, configOptions, readConfiguration } from "./config-options.ts";
import { demandOwnData, ownerHelp, ownerOptions } from "./data-owner.ts";
import { readyLine } from "./roles.ts";

const help = `Usage: tidemark demo [OPTION ...]

Starts all roles in one process, with a demo volume: a sparse file of ${demoVolumeBytes / 2 ** 30} GiB in the data folder,
made at the first start.

  --port N         the TCP port where the volume is attached; short for --set nbd.port=N
${configHelp}${ownerHelp}  --json           say where it can be reached, and in the end what has come where, as JSON lines
  --help           this text

Example:
  tidemark demo --data /tmp/try
`;

const volumeName = "demo";

export const demoCommand: Command = {
  name: "demo",
  summary: "start all roles with a demo volume",
  help,
  run: demo,
};

async function demo(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, {
    ...configOptions,
    ...ownerOptions,
    port: { type: "string" },
    json: { type: "boolean" },
  });
  if (positionals.length > 0)
    throw new UsageError(`demo takes no '${positionals[0]}'; 'tidemark demo --help' tells more`);
  const port =
    values.port === undefined ? [] : [`nbd.port=${wholeNumber(values.port, "--port", { min: 0, max: 65535 })}`];
  const configAnew = () => readConfiguration({ ...values, set: [...(values.set ?? []), ...port] }, roleNames).config;
  const config = configAnew();
  if (values["as-root"] !== true) demandOwnData(config, roleNames, "demo");
  const asJson = values.json === true;
  const started = async (program: Program): Promise<void> => {
    const volume = await demoVolume(program, config.data);
    process.stdout.write(asJson ? await readyLine(program) : nextSteps(program, volume));
  };
  // Only whoever runs the program loads it: the other commands ask it.
  const { runProgram } = await import("./running.ts");
  return runProgram({ config, configAnew, roles: roleNames, asJson, started });
}

async function demoVolume({ control }: Program, data: string): Promise<VolumeReport> {
  const { volumes } = await control.status();
  const known = volumes.find((volume) => volume.name === volumeName);
  if (known !== undefined) return known;
  const source = join(data, "demo.img");
  const size = nodeFiles.exists(source) ? {} : { sizeBytes: demoVolumeBytes };
  return control.addVolume({ name: volumeName, source, ...size });
}

function nextSteps({ apiUrl }: Program, { source, uris }: VolumeReport): string {
  const [uri = ""] = uris;
  const api = apiUrl === defaultApiUrl ? "" : ` --api ${apiUrl}`;
  return `The demo volume (${source}) is at ${uri}
and every write to it is kept. The page: ${apiUrl}

See a deleted file come back from ten seconds ago, in another terminal, in the same folder:
  npx tidemark story${api}

Then try:
${inColumns([
  [`npx tidemark attach ${volumeName} --mount /tmp/disk${api}`, "as root: the volume as a mounted disk"],
  [`npx tidemark detach ${volumeName}`, "and this takes it away"],
  [`npx tidemark status --watch${api}`, "how far the remote appliance is"],
  [`npx tidemark mode ${volumeName} sync${api}`, "from now on writes wait for it"],
  [`npx tidemark trace ${volumeName}${api}`, "the life of the next writes, step by step"],
  [`qemu-img convert -n -f raw -O raw SOME-IMAGE ${uri}`, "another content"],
])}

(To attach takes Debian's package libnbd-bin or nbd-client; qemu-img is in qemu-utils.)
Ctrl-C ends.
`;
}

function inColumns(steps: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...steps.map(([command]) => command.length));
  return steps.map(([command, what]) => `  ${command.padEnd(width)}  # ${what}`).join("\n");
}
