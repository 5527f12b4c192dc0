/** The shapes of requests' bodies: flat objects of a few fields, checked once, at the edge. */
import { nearestName } from "#src/core/nearest-name.ts";
import { ProblemError } from "./problem.ts";

export interface Field {
  readonly type: "string" | "integer" | "boolean";
  readonly isRequired: boolean;
  readonly description: string;
  /** Nothing else is allowed. */
  readonly values?: readonly string[];
  /** Characters, or the value of a number. */
  readonly max?: number;
}

export type Shape = Readonly<Record<string, Field>>;
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export function readBody(bytes: Buffer, contentType: string | undefined, shape: Shape): Fields {
  // Nothing else is asked for, and no page of another site can send this without asking first.
  if (!/^application\/json\s*(;|$)/i.test(contentType ?? "")) {
    throw new ProblemError(415, "the body must be JSON, and say so (content-type: application/json)");
  }
  const value = parsed(bytes);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ProblemError(400, "the body must be a JSON object");
  }
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(shape, name)) throw new ProblemError(400, unknownField(name, shape));
  }
  const pairs = Object.entries(shape).map(([name, field]) => {
    const given: unknown = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
    return [name, readField(name, field, given)] as const;
  });
  return Object.fromEntries(pairs);
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ProblemError(400, "the body is no JSON");
  }
}

function unknownField(name: string, shape: Shape): string {
  const nearest = nearestName(name, Object.keys(shape));
  const advice = nearest === undefined ? `known are ${Object.keys(shape).join(", ")}` : `did you mean '${nearest}'?`;
  return `there is no field ${JSON.stringify(name.slice(0, 64))}; ${advice}`;
}

function readField(name: string, field: Field, given: unknown): string | number | boolean | undefined {
  if (given === undefined && !field.isRequired) return undefined;
  if (field.type === "string" && typeof given === "string") return readString(name, field, given);
  if (field.type === "boolean" && typeof given === "boolean") return given;
  if (field.type === "integer" && Number.isSafeInteger(given)) {
    const { max = Number.MAX_SAFE_INTEGER } = field;
    if ((given as number) >= 0 && (given as number) <= max) return given as number;
    throw new ProblemError(400, `'${name}' must be from 0 to ${max}`);
  }
  throw new ProblemError(400, given === undefined ? `'${name}' is missing` : `'${name}' must be ${kinds[field.type]}`);
}

const kinds = { string: "a string", integer: "a whole number", boolean: "true or false" } as const;

function readString(name: string, { values, max = 4096 }: Field, given: string): string {
  if (values !== undefined && !values.includes(given)) {
    throw new ProblemError(400, `'${name}' must be ${values.join(" or ")}`);
  }
  if (given === "" || given.length > max) throw new ProblemError(400, `'${name}' has 1 to ${max} characters`);
  if (given.includes("\0")) throw new ProblemError(400, `'${name}' holds a NUL`);
  return given;
}
