/**
 * One line of the API: what it is asked, what it answers, and who may ask. The server, the OpenAPI document and the contract
 * tests are made of the same lines.
 */
import type { HttpResponse } from "#src/host/http.ts";
import type { ApiRole, Caller } from "./caller.ts";
import type { AnySchema, Schema } from "./schema.ts";

export const apiPrefix = "/api/v1";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** `/volumes/{volume}/snapshots/{seq}` has a `volume` and a `seq`. */
export type NamesIn<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never;

export interface Answer<Reply> {
  readonly status: number;
  readonly value: Reply;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Asked<Names extends string, Query, Body> {
  /** As decoded. They are looked up, and never become a part of a path. */
  readonly names: Readonly<Record<Names, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** When it came, before anything was done about it: by the host's clock, as other threads have it too. */
  readonly arrivedMs: number;
}

interface Line {
  readonly path: string;
  readonly summary: string;
  /** `open`: also without a token. */
  readonly role: ApiRole | "open";
}

/** JSON in and JSON out. */
export interface JsonRoute extends Line {
  readonly kind: "json";
  readonly method: Method;
  readonly query?: AnySchema;
  readonly body?: AnySchema;
  readonly reply: AnySchema;
  /** It changes nothing that anybody would look for later: it is not noted. */
  readonly isUnnoted?: boolean;
  /** Of answers that went well, with what each says. */
  readonly statuses: Readonly<Record<number, string>>;
  answer(asked: Asked<string, unknown, unknown>): Promise<Answer<unknown>>;
}

/** Anything else that is got: a text, a file. */
export interface PlainRoute extends Line {
  readonly kind: "plain";
  readonly method: "GET";
  /** A `*` at the end of the path stands for whatever follows. */
  readonly path: string;
  /** As the document says; absent: it is none of the API's, and not in the document. */
  readonly mediaType?: string;
  /** Undefined: there is nothing at this address. */
  answer(asked: PlainAsked): Promise<HttpResponse | undefined>;
}

export interface PlainAsked {
  /** As it came, without what a query says. */
  readonly path: string;
  readonly header: (name: string) => string | undefined;
}

export type Route = JsonRoute | PlainRoute;

export interface RouteParts<Path extends string, Query, Body, Reply> {
  readonly method: Method;
  readonly path: Path;
  readonly summary: string;
  readonly role: ApiRole | "open";
  readonly query?: Schema<Query>;
  readonly body?: Schema<Body>;
  readonly reply: Schema<Reply>;
  readonly isUnnoted?: boolean;
  /** What the statuses of its answers say; only 200 unless told. */
  readonly statuses?: Readonly<Record<number, string>>;
  answer(asked: Asked<NamesIn<Path>, Query, Body>): Promise<Answer<Reply>>;
}

/** Holds what it answers against what it says it does. The only place where the types of single routes are left behind. */
export function route<const Path extends string, Query = undefined, Body = undefined, Reply = never>(
  parts: RouteParts<Path, Query, Body, Reply>,
): JsonRoute {
  return { kind: "json", statuses: { 200: "done" }, ...parts } as unknown as JsonRoute;
}

export function done<Reply>(value: Reply): Answer<Reply> {
  return { status: 200, value };
}

/** `location`: where to look at it, below the prefix. */
export function made<Reply>(value: Reply, location: readonly string[]): Answer<Reply> {
  return { status: 201, value, headers: { location: addressOf(location) } };
}

/** It goes on, and `location` says how far it is. */
export function begun<Reply>(value: Reply, location: readonly string[]): Answer<Reply> {
  return { status: 202, value, headers: { location: addressOf(location) } };
}

function addressOf(steps: readonly string[]): string {
  return [apiPrefix, ...steps.map(encodeURIComponent)].join("/");
}
