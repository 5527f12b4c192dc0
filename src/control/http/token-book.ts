/**
 * Who may ask the control API, in a document: of each token its digest alone, so that whoever reads the document can show none. A
 * token is chance of 32 bytes, which no digest has to be slow for.
 */
import { createHash } from "node:crypto";
import { RefuseError, StopError } from "#src/core/errors.ts";
import { apiTokenBytes, apiTokensMax } from "#src/core/http-limits.ts";
import { type DocumentKind, publishDocument, readDocument } from "#src/host/document.ts";
import type { Machine } from "#src/host/machine.ts";
import { checkName } from "../name.ts";
import { UnknownNameError } from "../unknown-name.ts";
import { type ApiRole, apiRoles, callerNames } from "./caller.ts";

const kind: DocumentKind = { format: "tidemark-tokens", version: 1 };
const asideEnding = ".damaged";
/** So that a token is known for one wherever it turns up. */
const tokenBeginning = "tdm_";

interface KeptToken {
  readonly name: string;
  readonly role: ApiRole;
  /** SHA-256, in hexadecimal digits. */
  readonly digest: string;
  readonly madeMs: number;
  readonly endsMs?: number;
}

/** As it is shown. */
export interface TokenReport {
  readonly name: string;
  readonly role: ApiRole;
  readonly made: string;
  /** Absent: it does not expire. */
  readonly ends?: string;
  readonly expired: boolean;
  /** Since the program was started; absent: it was not. */
  readonly used?: string;
}

export interface TokenWish {
  readonly name: string;
  readonly role: ApiRole;
  /** Absent: for ever. */
  readonly seconds?: number;
}

type TokenMachine = Pick<Machine, "files" | "log" | "clock" | "randomness">;

export class TokenBook {
  readonly #machine: TokenMachine;
  readonly #path: string;
  #tokens: readonly KeptToken[];
  readonly #usedMs = new Map<string, number>();
  /** Taken away, which could not be noted: they hold no more, and are left out of the next document that is written. */
  readonly #revoked = new Set<string>();
  /** What changes it is done one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(machine: TokenMachine, path: string, tokens: readonly KeptToken[]) {
    this.#machine = machine;
    this.#path = path;
    this.#tokens = tokens;
  }

  /** Its folder is there. A damaged document is set aside: its tokens hold no more, and what is protected stays so. */
  static open(machine: TokenMachine, path: string): TokenBook {
    try {
      const book = new TokenBook(machine, path, readTokens(machine, path));
      if (book.wasSetAside) {
        const advice = "remove it when whoever had a token has a new one ('tidemark token add')";
        machine.log.warn(`damaged tokens of the control API lie aside, and none of them holds; ${advice}`, {
          file: path + asideEnding,
        });
      }
      return book;
    } catch (error) {
      if (!(error instanceof StopError)) throw error;
      const why = "the tokens of the control API are set aside: none of them holds any more";
      machine.log.error(`${why}; http.tokenFile, or a start on loopback, lets somebody make new ones`, { error });
      machine.files.rename(path, path + asideEnding);
      return new TokenBook(machine, path, []);
    }
  }

  /** There were some, in a document that is damaged: they hold no more, which is no reason to protect nothing. */
  get wasSetAside(): boolean {
    return this.#machine.files.exists(this.#path + asideEnding);
  }

  get isEmpty(): boolean {
    return this.#tokens.length === 0;
  }

  list(): readonly TokenReport[] {
    return this.#tokens.map((token) => this.#report(token));
  }

  /** Whose it is; undefined: nobody's any more. */
  find(text: string): { readonly name: string; readonly role: ApiRole } | undefined {
    const digest = digestOf(text);
    const found = this.#tokens.find((token) => token.digest === digest);
    if (found === undefined || this.#isOver(found)) return undefined;
    this.#usedMs.set(found.name, this.#machine.clock.wallMs());
    return { name: found.name, role: found.role };
  }

  /** Answers the token, this once. Durable when it resolves. */
  async add({ name, role, seconds }: TokenWish): Promise<{ readonly token: string; readonly report: TokenReport }> {
    checkName(name, "a token");
    if (Object.values<string>(callerNames).includes(name)) {
      throw new RefuseError(`'${name}' stands for callers without a token of their own: choose another name`);
    }
    return this.#inTurn(async () => {
      if (this.#tokens.some((one) => one.name === name)) {
        throw new RefuseError(`there is a token '${name}' already: 'tidemark token rm ${name}' takes it away`);
      }
      if (this.#tokens.length >= apiTokensMax) {
        throw new RefuseError(`there are ${apiTokensMax} tokens already: take away those that nobody needs`);
      }
      const token = `${tokenBeginning}${this.#machine.randomness.bytes(apiTokenBytes).toString("base64url")}`;
      const madeMs = this.#machine.clock.wallMs();
      const ends = seconds === undefined ? {} : { endsMs: madeMs + seconds * 1000 };
      const added = { name, role, digest: digestOf(token), madeMs, ...ends };
      await this.#publish([...this.#tokens, added]);
      return { token, report: this.#report(added) };
    });
  }

  /** It holds no more at once; resolves when that is durable. Until then it is one that there is: a start would bring it back. */
  async remove(name: string): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#tokens.some((one) => one.name === name)) {
        throw new UnknownNameError(`there is no token '${name.slice(0, 64)}'`);
      }
      this.#revoked.add(name);
      await this.#publish(this.#tokens);
      this.#usedMs.delete(name);
    });
  }

  async #publish(all: readonly KeptToken[]): Promise<void> {
    const tokens = all.filter(({ name }) => !this.#revoked.has(name));
    await publishDocument(this.#machine.files, this.#path, kind, { tokens });
    this.#tokens = tokens;
    this.#revoked.clear();
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #isOver({ name, endsMs }: KeptToken): boolean {
    return this.#revoked.has(name) || (endsMs !== undefined && endsMs <= this.#machine.clock.wallMs());
  }

  #report(token: KeptToken): TokenReport {
    const usedMs = this.#usedMs.get(token.name);
    return {
      ...{ name: token.name, role: token.role, made: timeOf(token.madeMs) },
      ...(token.endsMs === undefined ? {} : { ends: timeOf(token.endsMs) }),
      expired: this.#isOver(token),
      ...(usedMs === undefined ? {} : { used: timeOf(usedMs) }),
    };
  }
}

function readTokens({ files }: TokenMachine, path: string): readonly KeptToken[] {
  const content = readDocument(files, path, kind);
  if (content === undefined) return [];
  const { tokens } = content;
  if (!Array.isArray(tokens) || !tokens.every(isToken))
    throw new StopError(`${path} does not say which tokens there are`);
  return tokens;
}

function isToken(value: unknown): value is KeptToken {
  const { name, role, digest, madeMs, endsMs } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof name === "string" &&
    apiRoles.some((one) => one === role) &&
    typeof digest === "string" &&
    /^[0-9a-f]{64}$/.test(digest) &&
    Number.isSafeInteger(madeMs) &&
    (endsMs === undefined || Number.isSafeInteger(endsMs))
  );
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function timeOf(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
