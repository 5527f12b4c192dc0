import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCredentials, readToken } from "#src/control/credentials.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";

function written(text: string): string {
  const path = join(temporaryFolder(), "file");
  writeFileSync(path, text);
  return path;
}

test("a token is the first line of its file", () => {
  const tokenFile = written("0123456789abcdef\nnot this\n");
  expect(readToken({ token: undefined, tokenFile }, "wire")).toBe("0123456789abcdef");
});

test("no token is a choice, two are a mistake", () => {
  expect(readToken({ token: undefined, tokenFile: undefined }, "wire")).toBe(undefined);
  expect(() => readToken({ token: "a", tokenFile: "b" }, "wire")).toThrow("wire.token and wire.tokenFile are both set");
});

test.each(["short", "", "with spaces in between, and long"])("'%s' is no token, and is not repeated", (text) => {
  const tokenFile = written(text);
  expect(() => readToken({ token: undefined, tokenFile }, "wire")).toThrow(
    /^(?!.*(short|spaces)).*at least 16 visible characters/,
  );
});

test("a file that cannot be read is named with its setting", () => {
  expect(() => readToken({ token: undefined, tokenFile: "/nonexistent" }, "wire")).toThrow(
    "wire.tokenFile /nonexistent cannot be read",
  );
});

test("what is no PEM text, and what OpenSSL does not take, are no credentials", () => {
  const noPem = written("hello");
  const noCertificate = written("-----BEGIN CERTIFICATE-----\nhello\n-----END CERTIFICATE-----\n");
  expect(() => readCredentials({ certFile: noPem, keyFile: noPem }, "nbd.tls")).toThrow("nbd.tls.certFile");
  expect(() => readCredentials({ certFile: noCertificate, keyFile: noCertificate }, "nbd.tls")).toThrow(
    "nbd.tls cannot be used",
  );
  expect(readCredentials({}, "nbd.tls")).toBe(undefined);
});
