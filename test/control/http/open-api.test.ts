/** docs/reference/openapi.json is made of the routes: `npx vitest run test/control/http/open-api.test.ts -u` writes it. */
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { openApiDocument } from "#src/control/http/open-api.ts";
import type { JsonRoute } from "#src/control/http/route.ts";
import { metricsRoutes } from "#src/control/http/routes/metrics.ts";
import type { JsonSchema } from "#src/control/http/schema.ts";
import { programVersion } from "#src/host/node/program-version.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { ScriptedSide } from "./scripted-side.ts";

const { routes } = new ScriptedSide().served();
const all = [...routes, ...metricsRoutes({ read: async () => ({ contentType: "text/plain", text: "" }) })];
const document = openApiDocument(programVersion(), all) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
};

test("the document lies among the references as it is served", async () => {
  const path = join(projectRoot, "docs/reference/openapi.json");
  await expect(`${JSON.stringify(document, null, 1)}\n`).toMatchFileSnapshot(path);
});

test("every route is in it, each under a name of its own", () => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(operations.toSorted()).toEqual(all.map(({ method, path }) => `${method} ${path}`).toSorted());
  const names = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map((one) => one.operationId),
  );
  expect(new Set(names).size).toBe(names.length);
});

test("all schemas can be compiled, with what they refer to", () => {
  const checker = new Ajv2020({ strict: false, validateFormats: false });
  checker.addSchema({ $id: "document", ...document });
  for (const name of Object.keys(document.components.schemas)) {
    expect(checker.compile({ $ref: `document#/components/schemas/${name}` })).toBeTypeOf("function");
  }
  for (const [reference] of JSON.stringify(document.paths).matchAll(/#\/components\/schemas\/\w+/g)) {
    expect(document.components.schemas).toHaveProperty(reference.split("/").at(-1) as string);
  }
});

/** All parts of a schema, with where they stand. */
function partsOf(schema: JsonSchema, place: string): readonly (readonly [string, JsonSchema])[] {
  const named = Object.entries((schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>);
  const choices = (schema.anyOf ?? []) as readonly JsonSchema[];
  const more = [schema.items, schema.additionalProperties].filter((one) => typeof one === "object");
  const inside = [...named, ...[...choices, ...more].map((one, index) => [String(index), one] as const)];
  return [[place, schema], ...inside.flatMap(([name, one]) => partsOf(one as JsonSchema, `${place}.${name}`))];
}

/** Wherever a schema begins: those that have a name, and those of what is sent and asked. */
function schemasIn(value: unknown, place: string): readonly (readonly [string, JsonSchema])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    name === "schema" ? [[place, one as JsonSchema] as const] : schemasIn(one, `${place} ${name}`),
  );
}

/** Nothing is said of what it holds. */
function isUntyped({ type, properties, additionalProperties, items, ...rest }: JsonSchema): boolean {
  if (rest.anyOf !== undefined || rest.$ref !== undefined) return false;
  if (type === "array") return items === undefined;
  return type === "object" ? properties === undefined && typeof additionalProperties !== "object" : type === undefined;
}

test("of every part of what is asked and answered it is said what it is", () => {
  const schemas = [...Object.entries(document.components.schemas), ...schemasIn(document, "")];
  const parts = schemas.flatMap(([place, schema]) => partsOf(schema, place));
  expect(parts.length).toBeGreaterThan(500);
  expect(parts.filter(([, schema]) => isUntyped(schema)).map(([place]) => place)).toEqual([]);
});

test("whoever only reads changes nothing, and the keys to everything are for admins", () => {
  const json = all.filter((one): one is JsonRoute => one.kind === "json");
  expect(json.filter(({ method, role }) => method !== "GET" && role === "read")).toEqual([]);
  const forAdmins = json.filter(({ path }) => /\/(tokens|audit|keys)/.test(path));
  expect(new Set(forAdmins.map(({ role }) => role))).toEqual(new Set(["admin"]));
  const forAll = all.filter(({ role }) => role === "open").map(({ path }) => path);
  expect(forAll).toEqual(["/healthz", "/readyz", "/api/v1/openapi.json"]);
});
