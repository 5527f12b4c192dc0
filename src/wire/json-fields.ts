/** A JSON object from a peer, read field by field. Fields that nobody asks for are ignored; a wrong one is refused in words. */
import { RefuseError } from "#src/core/errors.ts";

export class JsonFields {
  readonly #values: object;
  readonly #what: string;

  /** `what`: what the object is, for people. */
  constructor(values: object, what: string) {
    this.#values = values;
    this.#what = what;
  }

  static parse(bytes: Buffer, what: string): JsonFields {
    let value: unknown;
    try {
      value = JSON.parse(bytes.toString("utf8"));
    } catch {
      throw new RefuseError(`the ${what} is no JSON text`);
    }
    return JsonFields.of(value, what);
  }

  static of(value: unknown, what: string): JsonFields {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new RefuseError(`the ${what} is no JSON object`);
    }
    return new JsonFields(value, what);
  }

  #get(name: string): unknown {
    // Its own fields alone: an object has others by nature.
    return Object.hasOwn(this.#values, name) ? (this.#values as Record<string, unknown>)[name] : undefined;
  }

  #refuse(name: string, wanted: string): never {
    throw new RefuseError(`the ${this.#what} has no field "${name}" that is ${wanted}`);
  }

  /** A whole number from 0 to 2^53 - 1. */
  count(name: string): number {
    const value = this.#get(name);
    if (!Number.isSafeInteger(value) || (value as number) < 0) this.#refuse(name, "a whole number");
    return value as number;
  }

  /** Undefined: there is no such field. */
  optionalCount(name: string): number | undefined {
    return this.#get(name) === undefined ? undefined : this.count(name);
  }

  text(name: string, charactersMax: number): string {
    const value = this.#get(name);
    if (typeof value !== "string" || value.length > charactersMax) {
      this.#refuse(name, `a text of at most ${charactersMax} characters`);
    }
    return value;
  }

  /** Undefined: there is no such field. */
  optionalText(name: string, charactersMax: number): string | undefined {
    return this.#get(name) === undefined ? undefined : this.text(name, charactersMax);
  }

  /** Hexadecimal digits, two per byte. */
  hexadecimal(name: string, byteCountMax: number): string {
    const value = this.text(name, byteCountMax * 2);
    if (!/^([0-9a-f]{2})+$/.test(value)) this.#refuse(name, "hexadecimal");
    return value;
  }

  flag(name: string): boolean {
    const value = this.#get(name);
    if (typeof value !== "boolean") this.#refuse(name, "true or false");
    return value;
  }

  /** Undefined: there is no such field. */
  optionalFlag(name: string): boolean | undefined {
    return this.#get(name) === undefined ? undefined : this.flag(name);
  }

  object(name: string): JsonFields {
    const value = this.#get(name);
    if (value === undefined) this.#refuse(name, "an object");
    return JsonFields.of(value, `${this.#what}'s "${name}"`);
  }
}

export function encodeJson(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
