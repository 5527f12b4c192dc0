/** The versions of the program, as package.json has it wherever that is installed, and of what runs it. */
import fs from "node:fs";

export function programVersion(): string {
  const text = fs.readFileSync(new URL(import.meta.resolve("tidemark/package.json")), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

export function runtimeVersion(): string {
  return process.version;
}
