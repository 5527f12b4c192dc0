/** Checks what is asked by the schemas that are published, and says in words what is not as it should be. */
import { Ajv, type ErrorObject } from "ajv";
import { nearestName } from "#src/core/nearest-name.ts";
import { ProblemError } from "./problem.ts";
import { type JsonSchema, schemaName } from "./schema.ts";

const options = {
  ...{ strict: false, validateFormats: false, verbose: true, allErrors: true },
  // The schemas are our own, and a test holds them against what schemas may be. To do so here takes longer than the first order.
  ...{ meta: false, validateSchema: false },
} as const;

export type Part = "body" | "query";

export class Validation {
  /** In a query all values come as texts. */
  readonly #checkers = { body: new Ajv(options), query: new Ajv({ ...options, coerceTypes: true }) };

  constructor() {
    for (const checker of Object.values(this.#checkers)) checker.addKeyword(schemaName);
  }

  /** Answers what checks, and throws. It is made when it is asked for the first time: a start has no time for all of them. */
  checker(schema: JsonSchema, part: Part): (value: unknown) => void {
    let check: ReturnType<Ajv["compile"]> | undefined;
    return (value) => {
      if (part === "body" && (typeof value !== "object" || value === null || Array.isArray(value))) {
        throw new ProblemError(400, "the body must be a JSON object");
      }
      check ??= this.#checkers[part].compile(schema);
      if (check(value)) return;
      const errors = check.errors ?? [];
      // A name that is mistyped is also one that is missing.
      const error = errors.find(({ keyword }) => keyword === "additionalProperties") ?? errors[0];
      throw new ProblemError(400, error === undefined ? "the request is not as it should be" : inWords(error, part));
    };
  }
}

function inWords(error: ErrorObject, part: Part): string {
  const { keyword, params, parentSchema = {}, instancePath } = error;
  const name = instancePath.slice(1).replaceAll("/", ".");
  switch (keyword) {
    case "required":
      return `'${String(params.missingProperty)}' is missing${part === "query" ? " in the query" : ""}`;
    case "additionalProperties":
      return unknownField(String(params.additionalProperty), Object.keys(parentSchema.properties ?? {}), part);
    case "enum":
      return `'${name}' must be ${(params.allowedValues as readonly string[]).join(" or ")}`;
    case "minLength":
    case "maxLength":
      return `'${name}' has ${parentSchema.minLength ?? 0} to ${parentSchema.maxLength} characters`;
    case "minimum":
    case "maximum":
      return `'${name}' must be from ${parentSchema.minimum} to ${parentSchema.maximum}`;
    case "pattern":
      return `'${name}' holds a NUL`;
    case "type":
      return `'${name}' must be ${kinds[String(params.type)] ?? String(params.type)}`;
    default:
      return `'${name}' ${error.message ?? "is not as it should be"}`;
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: "a string",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
};

function unknownField(name: string, known: readonly string[], part: Part): string {
  const nearest = nearestName(name, known);
  const list = known.length === 0 ? "nothing is asked for there" : `known is ${known.join(", ")}`;
  const advice = nearest === undefined ? list : `did you mean '${nearest}'?`;
  const shown = JSON.stringify(name.slice(0, 64));
  return part === "query"
    ? `there is no ${shown} in the query of this address; ${advice}`
    : `there is no field ${shown}; ${advice}`;
}
