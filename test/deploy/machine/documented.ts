/** What the documents have their readers type on a machine, as scripts. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "#test/tidy/project-files.ts";

/** The lines of shell of a document, by a text that only they have. */
export function documented(name: string, text: string): string {
  const document = readFileSync(join(projectRoot, name), "utf8");
  const [, block] =
    [...document.matchAll(/^```sh\n(.*?)^```$/gms)].find(([, lines = ""]) => lines.includes(text)) ?? [];
  if (block === undefined) throw new Error(`${name} has no lines with '${text}'`);
  return block;
}

const install = "docs/install.md";

export const installScripts = {
  "install.sh": documented(install, "systemctl enable --now tidemark\n"),
  "attach.sh": documented(install, "tidemark-attach@data"),
  // What the machine that has both roles has of the remote one lies elsewhere.
  "remote.sh": documented(install, "tidemark-remote").replaceAll("/etc/tidemark", "/etc/tidemark-remote"),
  "site.sh": documented(install, "tidemark-interceptor"),
};
