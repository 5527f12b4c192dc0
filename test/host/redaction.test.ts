import { expect, test } from "vitest";
import { isSecretName, withoutSecrets } from "#src/host/redaction.ts";

test("fault 35: a name with a secret's word in it is a secret's name, however its words are joined", () => {
  const names = [
    "password",
    "dbPassword",
    "DB_PASSWORD",
    "api-key",
    "apikey",
    "accessKeyId",
    "TLSKey",
    "Authorization",
  ];
  const more = [
    "session.token",
    "refreshTokens",
    "credentials",
    "s3SecretKey",
    "set-cookie",
    "passphrase",
    "AWSSecret",
  ];
  for (const name of [...names, ...more]) expect([name, isSecretName(name)]).toEqual([name, true]);
});

test("a name that only sounds like one is not", () => {
  const names = ["monkey", "keyboard", "volume", "tokenizer", "path", "secretary", "authorName", "bytes", ""];
  for (const name of names) expect([name, isSecretName(name)]).toEqual([name, false]);
});

test("fault 35: the user's part of an address is left out", () => {
  expect(withoutSecrets("from s3://id:hunter2@store/x to nbd://u@host")).toBe(
    "from s3://[redacted]@store/x to nbd://[redacted]@host",
  );
  expect(withoutSecrets("nbd+unix:///name?socket=/a@b")).toBe("nbd+unix:///name?socket=/a@b");
  expect(withoutSecrets("tidemark@host writes to someone@example")).toBe("tidemark@host writes to someone@example");
});

test("fault 35: a private key is left out, also one that was cut off", () => {
  const begin = "-----BEGIN EC PRIVATE KEY-----";
  const end = "-----END EC PRIVATE KEY-----";
  expect(withoutSecrets(`before ${begin}\nMHcCAQEE\n${end} after`)).toBe("before [redacted] after");
  expect(withoutSecrets(`before ${begin}\nMHcCAQEE`)).toBe("before [redacted]");
});

test("fault 35: a token of the API is left out, wherever somebody has put it", () => {
  const token = `tdm_${"Ab-_9".repeat(8)}xyz`;
  expect(withoutSecrets(`/api/v1/events?token=${token}&after=1`)).toBe("/api/v1/events?token=[redacted]&after=1");
  expect(withoutSecrets("a volume of the name tdm_disk")).toBe("a volume of the name tdm_disk");
});
