/** The version in package.json, wherever the program is installed. */
import fs from "node:fs";

export function programVersion(): string {
  const text = fs.readFileSync(new URL(import.meta.resolve("tidemark/package.json")), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}
