/** `tidemark up`, `interceptor`, `local` and `remote`: all roles in one process, or one of them. */
import type { Program } from "#src/control/program.ts";
import { type RoleName, roleNames } from "#src/control/role.ts";
import { defaultApiUrl } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { configHelp, configOptions, readConfiguration } from "./config-options.ts";
import { demandOwnData, ownerHelp, ownerOptions } from "./data-owner.ts";

interface RoleCommand {
  readonly name: string;
  readonly roles: readonly RoleName[];
  readonly summary: string;
  readonly about: string;
  readonly example: string;
}

function commandOf({ name, roles, summary, about, example }: RoleCommand): Command {
  const help = `Usage: tidemark ${name} [OPTION ...]

${about}

${configHelp}${ownerHelp}  --json           say where it can be reached, and in the end what has come where, as JSON lines
  --help           this text

Ends on SIGTERM or SIGINT: answers what it was asked, syncs, and says what has come where. What fails inside ends it with status 1.
On SIGHUP it reads its configuration again, and says what is in force at once, and what after a restart.

Example:
${example}`;
  return { name, summary, help, run: (args) => run(name, roles, args) };
}

async function run(name: string, roles: readonly RoleName[], args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, {
    ...configOptions,
    ...ownerOptions,
    json: { type: "boolean" },
  });
  if (positionals.length > 0) {
    throw new UsageError(`${name} takes no '${positionals[0]}'; 'tidemark ${name} --help' tells more`);
  }
  const { config } = readConfiguration(values, roles);
  if (values["as-root"] !== true) demandOwnData(config, roles, name);
  const asJson = values.json === true;
  const started = async (program: Program): Promise<void> => {
    process.stdout.write(asJson ? await readyLine(program) : await readyText(program, config.data));
  };
  const configAnew = () => readConfiguration(values, roles).config;
  // Only whoever runs the program loads it: the other commands ask it.
  const { runProgram } = await import("./running.ts");
  return runProgram({ config, configAnew, roles, asJson, started });
}

export async function readyLine(program: Program): Promise<string> {
  const { roles, wire } = await program.control.status();
  return `${JSON.stringify({ api: program.apiUrl, roles, ...(wire === undefined ? {} : { wire }) })}\n`;
}

async function readyText(program: Program, data: string): Promise<string> {
  const { version, roles, volumes, nbd, wire } = await program.control.status();
  const lines = [`tidemark ${version} runs (${roles.join(", ")}); data in ${data}`, `  API   ${program.apiUrl}`];
  // Of all roles in one process it is a socket that nobody else needs.
  if (wire !== undefined && !roles.includes("local")) lines.push(`  wire  ${wire}`);
  for (const uri of nbd) lines.push(`  NBD   ${uri}`);
  if (roles.includes("interceptor")) lines.push(...volumesText(volumes.length, program.apiUrl));
  return `${lines.join("\n")}\n`;
}

function volumesText(count: number, apiUrl: string): string[] {
  if (count > 0) return [`${count} volume${count === 1 ? "" : "s"}; 'tidemark status' shows them`];
  const api = apiUrl === defaultApiUrl ? "" : ` --api ${apiUrl}`;
  return [`No volumes yet. In another terminal: tidemark volume add NAME --source PATH --size 10G${api}`];
}

export const upCommand = commandOf({
  name: "up",
  roles: roleNames,
  summary: "start all roles in one process",
  about: `Starts all roles in one process: hosts attach volumes over NBD, every write is kept in the spool, shipped to the
remote appliance and kept in its journals, below one data folder.`,
  example: `  tidemark up --data /srv/tidemark
  tidemark volume add disk --source /srv/disk.img --size 10G      # in another terminal
`,
});

export const interceptorCommand = commandOf({
  name: "interceptor",
  roles: ["interceptor"],
  summary: "start the NBD server in front of the sources",
  about:
    "Starts the NBD server in front of the sources. The local appliance runs on the same host, as 'tidemark local'.",
  example: `  tidemark interceptor --data /srv/tidemark --set http.port=7880
`,
});

export const localCommand = commandOf({
  name: "local",
  roles: ["local"],
  summary: "start the local appliance",
  about: `Starts the local appliance: takes the writes of interceptors on this host into its spool, and ships them to the remote
appliance.`,
  example: `  tidemark local --data /srv/tidemark --set remote.address=backup.example:7879 \\
    --set wire.tokenFile=/etc/tidemark/token --set wire.tls.caFile=/etc/tidemark/ca.pem
`,
});

export const remoteCommand = commandOf({
  name: "remote",
  roles: ["remote"],
  summary: "start the remote appliance",
  about: "Starts the remote appliance: takes what local appliances ship, and keeps it in journals.",
  example: `  tidemark remote --data /srv/tidemark --set wire.host=0.0.0.0 --set wire.tokenFile=/etc/tidemark/token \\
    --set wire.tls.certFile=/etc/tidemark/cert.pem --set wire.tls.keyFile=/etc/tidemark/key.pem
`,
});
