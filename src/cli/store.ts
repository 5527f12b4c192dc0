/** `tidemark store key ls|add|rm` and `tidemark store retry`. */
import { resolve } from "node:path";
import type { KeyFacts } from "#src/control/store-key-orders.ts";
import { workingFolder } from "#src/host/node/environment.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { table } from "./table.ts";
import { onlyName } from "./volume.ts";

const help = `Usage: tidemark store key ls [OPTION ...]
       tidemark store key add FILE [OPTION ...]
       tidemark store key rm ID [OPTION ...]
       tidemark store retry [--remounted] [OPTION ...]

An encrypted store has keys of its own, which never change. They lie in it once for each key that it opens with, wrapped by
that: so another key costs no data.

key ls   lists these copies, and which of them the configured key opens
key add  lets the store open with another key too: FILE is on the remote appliance's machine, and holds 64 hexadecimal digits
key rm   lets it open no more with the key of this copy; the one that the configuration names cannot be removed
retry    tries at once what could not be sealed, when what stood in the way is mended

To replace a key: add the new one, name it in the configuration (store.keyFile), start the remote appliance anew, and remove
the copy of the old one.

With retry:
  --remounted        the file system that the store lies on was mounted anew after a sync of it had failed, and what it shows now
                     is what its disk has

${apiHelp}
Example:
  openssl rand -hex 32 > new.key && tidemark store key add new.key
`;

export const storeCommand: Command = {
  name: "store",
  summary: "keys of an encrypted store, and another try at what it could not take",
  help,
  run: async ([action, ...rest]) => {
    if (action === "retry") return retry(rest);
    const [keyAction, ...more] = rest;
    if (action === "key" && keyAction === "ls") return listKeys(more);
    if (action === "key" && keyAction === "add") return addKey(more);
    if (action === "key" && keyAction === "rm") return removeKey(more);
    throw new UsageError("store is followed by key ls, key add, key rm or retry; 'tidemark store --help' tells more");
  },
};

async function retry(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, { ...apiOptions, remounted: { type: "boolean" } });
  if (positionals.length > 0) throw new UsageError(`store retry takes no '${positionals[0]}'`);
  const answer = await new ApiClient(values).ask("POST", ["store", "retry"], {
    body: { remounted: values.remounted === true },
  });
  const text = "what could not be sealed is being tried again; 'tidemark status' tells what comes of it";
  process.stdout.write(values.json === true ? `${JSON.stringify(answer)}\n` : `${text}\n`);
  return 0;
}

async function listKeys(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  if (positionals.length > 0) throw new UsageError(`store key ls takes no '${positionals[0]}'`);
  const answer = (await new ApiClient(values).ask("GET", ["store", "keys"])) as { readonly keys: readonly KeyFacts[] };
  process.stdout.write(values.json === true ? `${JSON.stringify(answer)}\n` : keysText(answer.keys));
  return 0;
}

function keysText(keys: readonly KeyFacts[]): string {
  if (keys.length === 0) return "the store is not encrypted\n";
  return table(keys, [
    { title: "COPY", text: ({ id }) => id },
    { title: "", text: ({ isUsed }) => (isUsed ? "opens with the configured key" : "") },
  ]);
}

async function addKey(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  const keyFile = resolve(workingFolder(), onlyName("store key add", positionals, "FILE"));
  const answer = await new ApiClient(values).ask("POST", ["store", "keys"], { body: { keyFile } });
  const { id } = answer as { readonly id: string };
  process.stdout.write(
    values.json === true ? `${JSON.stringify(answer)}\n` : `the store opens with it too (copy ${id})\n`,
  );
  return 0;
}

async function removeKey(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, apiOptions);
  const id = onlyName("store key rm", positionals, "ID");
  const answer = await new ApiClient(values).ask("DELETE", ["store", "keys", id]);
  const text = `the store does not open any more with the key of copy ${id}`;
  process.stdout.write(values.json === true ? `${JSON.stringify(answer)}\n` : `${text}\n`);
  return 0;
}
