/** docs/reference/openapi.json is made of the routes: `npx vitest run test/control/api/open-api.test.ts -u` writes it. */
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

test("whoever only reads changes nothing, and the keys to everything are for admins", () => {
  const json = all.filter((one): one is JsonRoute => one.kind === "json");
  expect(json.filter(({ method, role }) => method !== "GET" && role === "read")).toEqual([]);
  const forAdmins = json.filter(({ path }) => /\/(tokens|audit|keys)/.test(path));
  expect(new Set(forAdmins.map(({ role }) => role))).toEqual(new Set(["admin"]));
  const forAll = all.filter(({ role }) => role === "open").map(({ path }) => path);
  expect(forAll).toEqual(["/healthz", "/readyz", "/api/v1/openapi.json"]);
});
