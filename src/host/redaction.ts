/** What must never reach a log, and what is shown in its place. */

export const redacted = "[redacted]";

const secretWords = new Set([
  "authorization",
  "cookie",
  "credential",
  "credentials",
  "key",
  "passphrase",
  "passwd",
  "password",
  "pwd",
  "secret",
  "secrets",
  "token",
  "tokens",
]);

/** The same written as one word. */
const secretNames = new Set(["apikey", "accesskey", "privatekey", "secretkey"]);

/** Whether a field of this name may hold a secret: one of its words says so, however the words are joined. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  return words.some((word) => secretWords.has(word) || secretNames.has(word));
}

/** Secrets that travel inside of other texts: the user's part of an address, a private key, a token of the API. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/:\/\/[^/\s@]*@/g, `://${redacted}@`)
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(-----END [A-Z ]*PRIVATE KEY-----)?/g, redacted)
    .replace(/\btdm_[\w-]{16,}/g, redacted);
}
