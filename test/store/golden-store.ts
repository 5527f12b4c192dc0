/** The store of the golden documents: what they say, and by which key one of them opens. */
import type { StoreDocument } from "#src/store/store-document.ts";
import { WrappingKey } from "#src/store/wrapping-key.ts";

export const goldenWrappingText = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
export const goldenWrappingKey = WrappingKey.parse(Buffer.from(goldenWrappingText), "the golden key");

/** The store's key, then that of its fingerprints. */
export const goldenKeys = Buffer.from(Array.from({ length: 64 }, (_, index) => 0xff - index));

export const plainDocument: StoreDocument = {
  id: "00112233445566778899aabbccddeeff",
  madeMicros: 1_700_000_000_123_000,
  keyCopies: undefined,
};

/** The first copy is for a key that nobody has any more. */
export const encryptedDocument: StoreDocument = {
  ...plainDocument,
  keyCopies: [
    {
      id: "0011223344556677",
      salt: "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
      wrapped:
        "18572fc063906204d1f7a6cca9d8406494d456a4a402276dd7a419aae2fc48629d648273054fd6a1" +
        "4f0317a733f6b6aeb42719b2c1bb9c42c51338517241360f8588d3daeda441ea3a6627fe3b0ffbf7",
    },
    {
      id: "8899aabbccddeeff",
      salt: "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf",
      wrapped:
        "27cf79e154cf3fc0e99b703db0e63069419d1ce604a57f8040baebb470977304c2ba4634c95fcaa8" +
        "daae901b0bdbac176c13488d5cc0c8532c08f6a5032976308fdbf72569bd964be11475a6eeb4566d",
    },
  ],
};
