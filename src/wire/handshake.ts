/**
 * How two sides of a connection make sure of each other: both know a token, and neither ever sends it.
 *
 *     acceptor    challenge  { versions, nonce }
 *     connecting  hello      proof | { version, link, nonce, hello }
 *     acceptor    proof      proof
 *
 * A proof is an HMAC-SHA256, keyed with the token, over all that was said before it and what comes with it. The nonces
 * make it worthless on any other connection, and a label of its own makes the one side's worthless as the other's.
 * What is said afterwards is not covered: against somebody who sits in the middle there is TLS.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { RefuseError } from "#src/core/errors.ts";
import { wireNonceBytes } from "#src/core/limits.ts";
import { encodeJson, JsonFields } from "./json-fields.ts";

/** Versions of the protocol that this program speaks. */
export const protocolVersions = { oldest: 2, newest: 2 } as const;

/** What a connection is for. */
export type LinkKind = "group" | "volume";

const linkNameCharactersMax = 64;
const proofBytes = 32;
const helloLabel = "tidemark hello 1";
const proofLabel = "tidemark proof 1";

export interface Identity {
  readonly token: string;
  readonly link: LinkKind;
  /** Made by chance for this connection. */
  readonly nonce: Buffer;
}

/** The side that connects. Errors say for people why there is to be no connection. */
export class ConnectingHandshake {
  readonly #identity: Identity;
  readonly #hello: () => object;
  #challenge = Buffer.alloc(0);
  #helloBody = Buffer.alloc(0);

  /** `hello`: asked for what the link itself has to say first. */
  constructor(identity: Identity, hello: () => object) {
    this.#identity = identity;
    this.#hello = hello;
  }

  /** Answers a challenge with the body of the hello. */
  challenged(body: Buffer): Buffer {
    const fields = JsonFields.parse(body, "challenge");
    const versions = fields.object("versions");
    const version = commonVersion(versions.count("oldest"), versions.count("newest"));
    fields.hexadecimal("nonce", wireNonceBytes);
    const { token, link, nonce } = this.#identity;
    const text = encodeJson({ version, link, nonce: nonce.toString("hex"), hello: this.#hello() });
    this.#challenge = Buffer.from(body);
    this.#helloBody = Buffer.concat([proofOf(token, helloLabel, [body, text]), text]);
    return this.#helloBody;
  }

  /** The acceptor's answer. */
  proven(body: Buffer): void {
    const proof = proofOf(this.#identity.token, proofLabel, [this.#challenge, this.#helloBody]);
    if (!isSame(proof, body)) throw new RefuseError("the other side does not know the token");
  }
}

/** The side that was connected to. */
export class AcceptingHandshake {
  readonly #identity: Identity;
  /** The body of the challenge. */
  readonly challenge: Buffer;

  constructor(identity: Identity) {
    this.#identity = identity;
    this.challenge = encodeJson({ versions: protocolVersions, nonce: identity.nonce.toString("hex") });
  }

  /** Answers a hello with the body of the proof, and with what the link has to say. */
  greeted(body: Buffer): { readonly proof: Buffer; readonly hello: JsonFields } {
    const text = body.subarray(proofBytes);
    const fields = JsonFields.parse(text, "hello");
    // Before all else: a version yet to come may prove itself in another way.
    const version = fields.count("version");
    commonVersion(version, version);
    const { token, link } = this.#identity;
    const proof = proofOf(token, helloLabel, [this.challenge, text]);
    if (!isSame(proof, body.subarray(0, proofBytes))) throw new RefuseError("the token is not the right one");
    fields.hexadecimal("nonce", wireNonceBytes);
    const wanted = fields.text("link", linkNameCharactersMax);
    if (wanted !== link) throw new RefuseError(`a ${link} link is offered here, no ${wanted} link`);
    return { proof: proofOf(token, proofLabel, [this.challenge, body]), hello: fields.object("hello") };
  }
}

function commonVersion(oldest: number, newest: number): number {
  const version = Math.min(newest, protocolVersions.newest);
  if (version >= Math.max(oldest, protocolVersions.oldest)) return version;
  const theirs = oldest === newest ? `version ${oldest}` : `versions ${oldest} to ${newest}`;
  throw new RefuseError(`the other side speaks ${theirs} of the protocol, this side ${ownVersions()}`);
}

function ownVersions(): string {
  const { oldest, newest } = protocolVersions as { oldest: number; newest: number };
  return oldest === newest ? `version ${newest}` : `versions ${oldest} to ${newest}`;
}

function proofOf(token: string, label: string, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac("sha256", token);
  // Lengths between the parts, so that nothing can move from one into the next.
  for (const part of [Buffer.from(label), ...parts]) hmac.update(`${part.length}:`).update(part);
  return hmac.digest();
}

function isSame(expected: Buffer, found: Buffer): boolean {
  return found.length === expected.length && timingSafeEqual(expected, found);
}
