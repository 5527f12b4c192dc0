import { createDecipheriv, hkdfSync } from "node:crypto";
import { expect, test } from "vitest";
import { encryptionTagBytes, openPartEncryption } from "#src/host/part-encryption.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

const random = new SeededRandom(5);
const [key, salt, purpose] = [random.bytes(32), random.bytes(16), Buffer.from("a purpose")];
const [nonce, associated, plain] = [random.bytes(12), random.bytes(24), random.bytes(300)];

function encrypted(): Buffer {
  const bytes = Buffer.alloc(10 + plain.length + encryptionTagBytes + 10, 0xa5);
  plain.copy(bytes, 10);
  openPartEncryption(key, salt, purpose).encrypt(nonce, associated, bytes, 10, 10 + plain.length);
  return bytes;
}

const decrypted = (bytes: Buffer, encryption = openPartEncryption(key, salt, purpose)) =>
  encryption.decrypt(nonce, associated, bytes, 10, 10 + plain.length);

test("what was encrypted comes back, again and again, and nothing is touched beside it", () => {
  const bytes = encrypted();
  const kept = Buffer.from(bytes);
  expect(bytes.subarray(10, 10 + plain.length).equals(plain)).toBe(false);
  expect(decrypted(bytes)).toEqual(plain);
  expect(decrypted(bytes)).toEqual(plain);
  expect(bytes).toEqual(kept);
  expect(bytes.subarray(0, 10)).toEqual(Buffer.alloc(10, 0xa5));
  expect(bytes.subarray(-10)).toEqual(Buffer.alloc(10, 0xa5));
});

test("it is AES-256-GCM under a key of HKDF-SHA256", () => {
  const bytes = encrypted();
  const derived = Buffer.from(hkdfSync("sha256", key, salt, purpose, 32));
  const decipher = createDecipheriv("aes-256-gcm", derived, nonce);
  decipher.setAAD(associated).setAuthTag(bytes.subarray(10 + plain.length, 10 + plain.length + encryptionTagBytes));
  const found = decipher.update(bytes.subarray(10, 10 + plain.length));
  expect(Buffer.concat([found, decipher.final()])).toEqual(plain);
});

test("every bit that is changed is found, in the bytes and in the tag", () => {
  for (let bit = 80; bit < (10 + plain.length + encryptionTagBytes) * 8; bit++) {
    const bytes = encrypted();
    bytes[bit >>> 3] = (bytes[bit >>> 3] as number) ^ (1 << (bit & 7));
    expect(decrypted(bytes)).toBeUndefined();
  }
});

test("another key, salt, purpose, nonce or what is vouched for is found", () => {
  const bytes = encrypted();
  expect(decrypted(bytes, openPartEncryption(random.bytes(32), salt, purpose))).toBeUndefined();
  expect(decrypted(bytes, openPartEncryption(key, random.bytes(16), purpose))).toBeUndefined();
  expect(decrypted(bytes, openPartEncryption(key, salt, Buffer.from("another")))).toBeUndefined();
  const encryption = openPartEncryption(key, salt, purpose);
  expect(encryption.decrypt(random.bytes(12), associated, bytes, 10, 10 + plain.length)).toBeUndefined();
  expect(encryption.decrypt(nonce, random.bytes(24), bytes, 10, 10 + plain.length)).toBeUndefined();
});

test("nothing at all can be encrypted too", () => {
  const bytes = Buffer.alloc(encryptionTagBytes);
  const encryption = openPartEncryption(key, salt, purpose);
  encryption.encrypt(nonce, associated, bytes, 0, 0);
  expect(encryption.decrypt(nonce, associated, bytes, 0, 0)).toEqual(Buffer.alloc(0));
  expect(encryption.decrypt(nonce, random.bytes(24), bytes, 0, 0)).toBeUndefined();
});

test("a key of another length is none", () => {
  expect(() => openPartEncryption(random.bytes(16), salt, purpose)).toThrow("256 bits");
});
