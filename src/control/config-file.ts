/**
 * The configuration file: YAML, read node by node, so that whatever is wrong with it is said with its line. A name may be
 * written in its section or with dots, as on the command line: `nbd.port: 5`.
 */
import { createRequire } from "node:module";
import type { LineCounter, Node, YAMLMap } from "yaml";
import { RefuseError } from "#src/core/errors.ts";
import { configFileBytesMax } from "#src/core/limits.ts";
import { nearestName } from "#src/core/nearest-name.ts";
import { configSchema, isSetting, type Section } from "./config-schema.ts";

/** What reads YAML is loaded for a file alone: a start without one takes 20 ms of a processor less. */
const require = createRequire(import.meta.url);
type Yaml = typeof import("yaml");

export interface Written {
  readonly key: string;
  readonly text: string;
  /** For people: the file and the line. */
  readonly where: string;
}

export function readConfigText(text: string, fileName: string): Written[] {
  if (Buffer.byteLength(text) > configFileBytesMax) {
    throw new RefuseError(`${fileName}: a configuration has at most ${configFileBytesMax} bytes`);
  }
  return new ConfigText(text, fileName).read();
}

class ConfigText {
  readonly #text: string;
  readonly #fileName: string;
  readonly #yaml = require("yaml") as Yaml;
  readonly #lines: LineCounter = new this.#yaml.LineCounter();
  readonly #found: Written[] = [];

  constructor(text: string, fileName: string) {
    this.#text = text;
    this.#fileName = fileName;
  }

  read(): Written[] {
    const document = this.#yaml.parseDocument(this.#text, { lineCounter: this.#lines, prettyErrors: false });
    const [problem] = document.errors;
    if (problem !== undefined) throw this.#refusal(problem.pos[0], `is no YAML: ${firstLine(problem.message)}`);
    if (document.contents !== null) this.#readSection(document.contents, configSchema, "");
    return this.#found;
  }

  #readSection(node: Node, section: Section, prefix: string): void {
    if (this.#yaml.isScalar(node) && node.value === null) return;
    if (!this.#yaml.isMap(node)) {
      const what = prefix === "" ? "the configuration" : prefix.slice(0, -1);
      throw this.#refusal(offsetOf(node), `${what} must be a section of names and values`);
    }
    for (const { key, value } of (node as YAMLMap<Node, Node | null>).items) {
      this.#readEntry(key, this.#yaml.isScalar(key) ? String(key.value).split(".") : [""], value, section, prefix);
    }
  }

  /** `names`: more than one where the key is written with dots. */
  #readEntry(key: Node, names: readonly string[], value: Node | null, section: Section, prefix: string): void {
    const [name = "", ...below] = names;
    const part = Object.hasOwn(section, name) ? section[name] : undefined;
    if (part === undefined) throw this.#refusal(offsetOf(key), unknownKey(names.join("."), section, prefix));
    if (isSetting(part) && below.length > 0) throw this.#refusal(offsetOf(key), `${prefix}${name} is no section`);
    if (isSetting(part)) this.#readSetting(value, `${prefix}${name}`, part.shape, offsetOf(key));
    else if (below.length > 0) this.#readEntry(key, below, value, part, `${prefix}${name}.`);
    else this.#readSection(value ?? key, part, `${prefix}${name}.`);
  }

  #readSetting(node: Node | null, key: string, shape: string, keyOffset: number): void {
    // As it is written and not as YAML takes it: 0x10 and 1e3 are not what people mean by a size.
    const text = this.#yaml.isScalar(node) && node.value !== null ? scalarText(node.source, node.value) : undefined;
    if (text === undefined) throw this.#refusal(keyOffset, `${key} must be ${shape}`);
    const before = this.#found.find((written) => written.key === key);
    if (before !== undefined) throw this.#refusal(keyOffset, `${key} stands in ${before.where} already`);
    this.#found.push({ key, text, where: this.#where(keyOffset) });
  }

  #refusal(offset: number, what: string): RefuseError {
    return new RefuseError(`${this.#where(offset)}: ${what}`);
  }

  #where(offset: number): string {
    return `${this.#fileName}, line ${this.#lines.linePos(offset).line}`;
  }
}

export function unknownKey(name: string, section: Section, prefix: string): string {
  const nearest = nearestName(name, Object.keys(section));
  const advice = nearest === undefined ? "'tidemark config' lists all" : `did you mean '${prefix}${nearest}'?`;
  return `there is no setting '${prefix}${name}'; ${advice}`;
}

function scalarText(source: string | undefined, value: unknown): string {
  return typeof value === "string" ? value : (source ?? String(value));
}

function offsetOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] as string;
}
