/** The OpenAPI document, made of the routes that are served. */
import { nameCharactersMax } from "#src/core/limits.ts";
import { namesOf } from "./address.ts";
import { problemMediaType } from "./problem.ts";
import { apiPrefix, type JsonRoute, type PlainRoute, type Route } from "./route.ts";
import { type AnySchema, type JsonSchema, schemaName } from "./schema.ts";

export const documentPath = `${apiPrefix}/openapi.json`;

const about = "What the command tidemark does, it does through this API. Errors are problem details (RFC 9457).";

export function documentRoute(version: string, routes: readonly Route[]): PlainRoute {
  let text: string | undefined;
  const self: PlainRoute = {
    kind: "plain",
    method: "GET",
    path: documentPath,
    summary: "this document",
    role: "open",
    mediaType: "application/json",
    answer: async () => {
      text ??= `${JSON.stringify(openApiDocument(version, [...routes, self]))}\n`;
      return { status: 200, headers: { "content-type": "application/json", "cache-control": "no-cache" }, body: text };
    },
  };
  return self;
}

export function openApiDocument(version: string, routes: readonly Route[]): JsonSchema {
  const named: Record<string, JsonSchema> = {};
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const route of routes) {
    if (route.kind === "plain" && route.mediaType === undefined) continue;
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route, named) };
  }
  const components = {
    schemas: sorted({ ...named, Problem: problemSchema }),
    responses: {
      Problem: { description: "what went wrong", content: { [problemMediaType]: { schema: refTo("Problem") } } },
    },
    securitySchemes: { token: { type: "http", scheme: "bearer" } },
  };
  return {
    openapi: "3.1.0",
    info: { title: "Tidemark", version, description: about },
    paths: sorted(paths),
    components,
  };
}

const problemSchema: JsonSchema = {
  type: "object",
  properties: {
    title: { type: "string", description: "the status in words" },
    status: { type: "integer", description: "the same as the answer's" },
    detail: { type: "string", description: "what, why, and what to do" },
  },
  required: ["title", "status", "detail"],
};

function operation(route: Route, named: Record<string, JsonSchema>): JsonSchema {
  return {
    summary: route.summary,
    operationId: operationId(route),
    ...(route.role === "open" ? { security: [{}] } : { security: [{ token: [] }, {}], "x-role": route.role }),
    ...parametersOf(route),
    ...(route.kind === "json" && route.body !== undefined ? { requestBody: bodyOf(route.body, named) } : {}),
    responses: { ...responsesOf(route, named), default: { $ref: "#/components/responses/Problem" } },
  };
}

/** For example `postVolumesVolumeUnfence`: also another generator's name for a function. */
function operationId({ method, path }: Route): string {
  const steps = path
    .replace(apiPrefix, "")
    .split(/[^A-Za-z0-9]+/)
    .filter((step) => step !== "");
  return [method.toLowerCase(), ...steps.map((step) => step.charAt(0).toUpperCase() + step.slice(1))].join("");
}

function parametersOf(route: Route): { readonly parameters?: readonly JsonSchema[] } {
  const inPath = namesOf(route.path).map((name) => ({
    ...{ name, in: "path", required: true },
    schema: { type: "string", minLength: 1, maxLength: 2 * nameCharactersMax + 1 },
  }));
  const query = route.kind === "json" ? (route.query?.json ?? {}) : {};
  const required = (query.required ?? []) as readonly string[];
  const inQuery = Object.entries((query.properties ?? {}) as Record<string, JsonSchema>).map(([name, schema]) => ({
    ...{ name, in: "query", required: required.includes(name), schema },
  }));
  const parameters = [...inPath, ...inQuery];
  return parameters.length === 0 ? {} : { parameters };
}

function bodyOf(body: AnySchema, named: Record<string, JsonSchema>): JsonSchema {
  return { required: true, content: { "application/json": { schema: published(body.json, named) } } };
}

function responsesOf(route: JsonRoute | PlainRoute, named: Record<string, JsonSchema>): JsonSchema {
  if (route.kind === "plain") {
    return {
      200: { description: route.summary, content: { [route.mediaType ?? ""]: { schema: { type: "string" } } } },
    };
  }
  const { json, name } = route.reply;
  const schema = published(name === undefined ? json : { ...json, [schemaName]: name }, named);
  const content = { "application/json": { schema } };
  return Object.fromEntries(
    Object.entries(route.statuses).map(([status, description]) => [status, { description, content }]),
  );
}

/** With what has a name taken out and put among the named ones. */
function published(value: JsonSchema, named: Record<string, JsonSchema>): JsonSchema {
  const { [schemaName]: name, ...rest } = value;
  const made = Object.fromEntries(Object.entries(rest).map(([key, one]) => [key, publishedPart(one, named)]));
  if (typeof name !== "string") return made;
  named[name] = made;
  return refTo(name);
}

function publishedPart(value: unknown, named: Record<string, JsonSchema>): unknown {
  if (Array.isArray(value)) return value.map((one) => publishedPart(one, named));
  return typeof value === "object" && value !== null ? published(value as JsonSchema, named) : value;
}

function refTo(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

function sorted<Value>(values: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}
