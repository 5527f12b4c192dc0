/** What the command line and the environment say of the program that is asked. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { ApiClient } from "#src/cli/api-client.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";

function withVariables(variables: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(variables)) vi.stubEnv(name, text);
  onTestFinished(() => void vi.unstubAllEnvs());
}

test("the environment names the authority too, and the command line wins; what cannot be used is told by who has named it", () => {
  const folder = temporaryFolder();
  const [good, empty] = [join(folder, "ca.pem"), join(folder, "empty.pem")];
  writeFileSync(good, "-----BEGIN CERTIFICATE-----\n");
  writeFileSync(empty, "none\n");
  expect(() => new ApiClient({ "api-ca": "/none" })).toThrow("--api-ca /none: no such file or folder");
  expect(() => new ApiClient({ "api-ca": empty })).toThrow(`--api-ca ${empty} holds no PEM text`);
  withVariables({ TIDEMARK_API_CA: "/none" });
  expect(() => new ApiClient({})).toThrow("TIDEMARK_API_CA /none: no such file or folder");
  expect(() => new ApiClient({ "api-ca": good })).not.toThrow();
  withVariables({ TIDEMARK_API_CA: good, TIDEMARK_API_TOKEN_FILE: "/none" });
  expect(() => new ApiClient({})).toThrow("TIDEMARK_API_TOKEN_FILE /none cannot be read");
  expect(() => new ApiClient({ "token-file": "/gone" })).toThrow("--token-file /gone cannot be read");
});
