/**
 * The shapes of what goes in and out, once for three: requests are checked by them, the OpenAPI document is made of them, and
 * the compiler holds them against the types they describe. A schema is JSON that knows its type.
 */

export type JsonSchema = { readonly [keyword: string]: unknown };

declare const described: unique symbol;

/** Of whatever type. */
export interface AnySchema {
  readonly json: JsonSchema;
  /** In the document it stands once under this name. */
  readonly name?: string;
}

export interface Schema<Value> extends AnySchema {
  /** Never there: both directions, so that a schema is of exactly this type. */
  readonly [described]?: (value: Value) => Value;
}

export interface OptionalSchema<Value> extends Schema<Value> {
  readonly isOptional: true;
}

/** Each field of a type: one that may be absent as `optional`, every other one as it is. None can be forgotten. */
export type FieldsOf<Value> = {
  readonly [Name in keyof Value]-?: object extends Pick<Value, Name>
    ? OptionalSchema<Exclude<Value[Name], undefined>>
    : undefined extends Value[Name]
      ? OptionalSchema<Exclude<Value[Name], undefined>>
      : Schema<Value[Name]>;
};

export interface TextBounds {
  readonly max?: number;
  readonly min?: number;
  readonly format?: string;
  readonly example?: string;
}

/** What is asked for has bounds unless told otherwise. */
export const textCharactersMax = 4096;

/** A text that comes from outside: never empty, never with a NUL in it. */
export function text(
  description: string,
  { max = textCharactersMax, min = 1, ...more }: TextBounds = {},
): Schema<string> {
  return { json: { type: "string", description, minLength: min, maxLength: max, pattern: "^[^\\u0000]*$", ...more } };
}

/** A text that is answered. */
export function words<Value extends string = string>(description: string): Schema<Value> {
  return { json: { type: "string", description } };
}

export function time(description: string): Schema<string> {
  return { json: { type: "string", format: "date-time", description } };
}

export function count(description: string, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}): Schema<number> {
  return { json: { type: "integer", minimum: min, maximum: max, description } };
}

export function number(description: string): Schema<number> {
  return { json: { type: "number", description } };
}

export function flag(description: string): Schema<boolean> {
  return { json: { type: "boolean", description } };
}

export function choice<const Value extends string>(values: readonly Value[], description: string): Schema<Value> {
  return { json: { type: "string", enum: values, description } };
}

export function list<Item>(items: Schema<Item>, description: string): Schema<readonly Item[]> {
  return { json: { type: "array", description, items: inside(items) } };
}

export function optional<Value>(schema: Schema<Value>): OptionalSchema<Value> {
  return { ...schema, isOptional: true } as OptionalSchema<Value>;
}

export function nullable<Value>(schema: Schema<Value>): Schema<Value | null> {
  return { json: { anyOf: [inside(schema), { type: "null" }] } };
}

export function either<First, Second>(first: Schema<First>, second: Schema<Second>): Schema<First | Second> {
  return { json: { anyOf: [inside(first), inside(second)] } };
}

/** Each says by a field `kind` of its own which one it is. */
export function oneOfKinds<Kind extends { readonly kind: string }>(
  kinds: {
    readonly [Name in Kind["kind"]]: Schema<Extract<Kind, { readonly kind: Name }>>;
  },
): Schema<Kind> {
  return { json: { anyOf: Object.values<AnySchema>(kinds).map(inside) } };
}

/** Values of one kind under names that nobody knows before. */
export function record<Value>(values: Schema<Value>, description: string): Schema<Readonly<Record<string, Value>>> {
  return { json: { type: "object", description, additionalProperties: inside(values) } };
}

/** Under names that another part gives: a text, a number, true or false, or nothing. */
export function scalar<Value>(description: string): Schema<Value> {
  return { json: { type: ["string", "number", "boolean", "null"], description } };
}

/** `name`: in the document, where it is used more than once or worth a look of its own. */
export function object<Value extends object>(fields: FieldsOf<Value>, name?: string): Schema<Value> {
  const entries = Object.entries(fields as Readonly<Record<string, AnySchema>>);
  const required = entries.filter(([, field]) => !("isOptional" in field)).map(([key]) => key);
  return {
    ...(name === undefined ? {} : { name }),
    json: {
      type: "object",
      properties: Object.fromEntries(entries.map(([key, field]) => [key, inside(field)])),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
    },
  };
}

/** As it stands within another one: whole, and with its name, by which the document takes it out again. */
export const schemaName = "x-name";

function inside({ json, name }: AnySchema): JsonSchema {
  return name === undefined ? json : { ...json, [schemaName]: name };
}
