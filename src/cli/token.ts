/** `tidemark token add|ls|rm`. */
import { apiRoles } from "#src/control/http/caller.ts";
import type { TokenReport } from "#src/control/http/token-book.ts";
import { parseDuration } from "#src/core/duration.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { type Column, table } from "./table.ts";
import { onlyName } from "./volume.ts";

const help = `Usage: tidemark token add NAME --role ${apiRoles.join("|")} [--for TIME] [OPTION ...]
       tidemark token ls [OPTION ...]
       tidemark token rm NAME [OPTION ...]

Who may ask the control API. A token has a role: read sees all but keys, tokens and the audit log; operate also switches modes and
levels, marks, opens views, takes snapshots, restores and runs long works; admin may all. It is told once, when it is made, and kept
nowhere but as a digest.

add  makes a token and prints it
ls   lists them, without what is shown of them
rm   takes one away; whoever listens with it is hung up on

  --role ROLE        what may be done with it
  --for TIME         so long it holds, for example 30d or 12h; for ever unless told
${apiHelp}
Example:
  tidemark token add grafana --role read > /etc/grafana/tidemark.token
`;

export const tokenCommand: Command = {
  name: "token",
  summary: "say who may ask the control API",
  help,
  run: async ([action, ...rest]) => {
    if (action === "add") return add(rest);
    if (action === "ls") return list(rest);
    if (action === "rm") return remove(rest);
    const not = action === undefined ? "" : `, not '${action}'`;
    throw new UsageError(`token is followed by add, ls or rm${not}; 'tidemark token --help' tells more`);
  },
};

async function add(args: readonly string[]): Promise<number> {
  const options = { ...apiOptions, role: { type: "string" }, for: { type: "string" } } as const;
  const { values, positionals } = parseCommandLine(args, options);
  const name = onlyName("token add", positionals);
  const role = apiRoles.find((one) => one === values.role);
  if (role === undefined) throw new UsageError(`token add needs --role ${apiRoles.join(", ")}`);
  const seconds = values.for === undefined ? undefined : parseDuration(values.for);
  if (values.for !== undefined && (seconds === undefined || seconds < 1)) {
    throw new UsageError(`--for takes a time such as 30d or 12h, not '${values.for}'`);
  }
  const body = { name, role, ...(seconds === undefined ? {} : { seconds: Math.floor(seconds) }) };
  const added = (await new ApiClient(values).ask("POST", ["tokens"], { body })) as { readonly token: string };
  process.stdout.write(`${values.json === true ? JSON.stringify(added) : added.token}\n`);
  return 0;
}

const columns: readonly Column<TokenReport>[] = [
  { title: "TOKEN", text: ({ name }) => name },
  { title: "ROLE", text: ({ role }) => role },
  { title: "MADE", text: ({ made }) => made },
  { title: "ENDS", text: ({ ends = "", expired }) => (expired ? `${ends} (over)`.trim() : ends) },
  { title: "USED", text: ({ used }) => used ?? "" },
];

async function list(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  if (positionals.length > 0) throw new UsageError(`token ls takes no '${positionals[0]}'`);
  const answer = (await new ApiClient(values).ask("GET", ["tokens"])) as { readonly tokens: readonly TokenReport[] };
  if (values.json === true) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else process.stdout.write(answer.tokens.length === 0 ? "no tokens\n" : table(answer.tokens, columns));
  return 0;
}

async function remove(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  const name = onlyName("token rm", positionals);
  const answer = await new ApiClient(values).ask("DELETE", ["tokens", name]);
  process.stdout.write(values.json === true ? `${JSON.stringify(answer)}\n` : `token ${name} holds no more\n`);
  return 0;
}
