import { expect, test } from "vitest";
import { Page } from "#src/control/page/page.ts";
import { nodeModuleSource } from "#src/host/node/module-source.ts";

const page = new Page(nodeModuleSource);
const document = await page.answer("/", undefined);
const text = document?.body ?? "";
const addresses = [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, address = ""]) => address);

test("the document names files that are there, and nothing inline or elsewhere", async () => {
  expect(addresses.length).toBeGreaterThan(30);
  for (const address of addresses) {
    expect(address).toMatch(/^\/page\/[0-9a-f]{16}\//);
    expect((await page.answer(address, undefined))?.status).toBe(200);
  }
  expect(text).not.toMatch(/<style|style=|<script[^>]*>[^<]| on\w+=/);
});

test("the policy lets in nothing from elsewhere, and nobody may frame the page", () => {
  const policy = document?.headers["content-security-policy"] ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
  expect(document?.headers["x-content-type-options"]).toBe("nosniff");
});

test("the document is asked for each time, and what it names is kept for ever", async () => {
  expect(document?.headers["cache-control"]).toBe("no-cache");
  const tag = document?.headers.etag;
  expect(await page.answer("/", tag)).toMatchObject({ status: 304, body: "" });
  expect((await page.answer("/", `W/${tag}, "other"`))?.status).toBe(304);
  expect((await page.answer("/", '"other"'))?.status).toBe(200);
  expect((await page.answer(addresses[0] ?? "", undefined))?.headers["cache-control"]).toMatch(/immutable/);
});

test("what browsers get has no types, and no imports of packages", async () => {
  const names = addresses.filter((address) => address.endsWith(".js"));
  const scripts = await Promise.all(names.map((address) => page.answer(address, undefined)));
  for (const script of scripts) {
    expect(script?.headers["content-type"]).toMatch(/^text\/javascript/);
    expect(script?.body).not.toMatch(/^import type|interface \w+ \{|from "(preact|uplot|#src)/m);
  }
});

test.each(["/page/", "/page/0000000000000000/ui/main.js", "/page/../ui/main.ts", "/page/%2e%2e/x", "/index.html"])(
  "there is nothing at %s",
  async (path) => {
    expect(await page.answer(path, undefined)).toBeUndefined();
  },
);
