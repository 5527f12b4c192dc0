/** One line of the API: which requests it is for, and what it does. */
import type { HttpResponse } from "#src/host/http.ts";
import { ProblemError } from "./problem.ts";
import type { Fields, Shape } from "./shape.ts";

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `{…}` stands for one name. */
  readonly path: string;
  readonly summary: string;
  /** Of the body; absent: there is none. */
  readonly shape?: Shape;
  /** What may stand in the query as `NAME=true`. */
  readonly flags?: readonly string[];
  /** What it does is undone by nobody: only with `confirm=` and the name once more in the query the flag `confirm` is set. */
  readonly isConfirmed?: boolean;
  /** Whether it is answered without a token. */
  readonly isOpen?: boolean;
  answer(names: readonly string[], fields: Fields, flags: ReadonlySet<string>): Promise<HttpResponse>;
}

export interface Found {
  readonly route: Route;
  readonly names: readonly string[];
  readonly flags: ReadonlySet<string>;
}

/** In the query, and as a flag. */
export const confirmation = "confirm";

/** The target as it came. Names are looked up by whoever answers; here nothing is made of them. */
export function findRoute(routes: readonly Route[], method: string, target: string): Found {
  const steps = stepsOf(target);
  const matches = routes.flatMap((route) => {
    const names = namesIn(route.path.split("/").slice(1), steps);
    return names === undefined ? [] : [{ route, names }];
  });
  const found = matches.find(({ route }) => route.method === method);
  if (found !== undefined) return { ...found, flags: flagsOf(target, found.route, found.names) };
  if (matches.length === 0) throw new ProblemError(404, "there is nothing at this address");
  const allowed = matches.map(({ route }) => route.method).join(", ");
  throw new ProblemError(405, `only ${allowed} is possible here`, { allow: allowed });
}

function flagsOf(target: string, route: Route, names: readonly string[]): ReadonlySet<string> {
  const { flags = [], isConfirmed = false } = route;
  const [, ...query] = target.split("?");
  const set = new Set<string>();
  for (const [name, value] of new URLSearchParams(query.join("?"))) {
    if (isConfirmed && name === confirmation) {
      if (value === names[0]) set.add(confirmation);
      continue;
    }
    if (!flags.includes(name)) throw new ProblemError(400, unknownFlag(name, flags));
    if (value !== "true" && value !== "false") throw new ProblemError(400, `'${name}' is true or false`);
    if (value === "true") set.add(name);
  }
  return set;
}

function unknownFlag(name: string, flags: readonly string[]): string {
  const known = flags.length === 0 ? "nothing is asked for there" : `known is ${flags.join(", ")}`;
  return `there is no ${JSON.stringify(name.slice(0, 64))} in the query of this address; ${known}`;
}

function stepsOf(target: string): string[] {
  const [path = ""] = target.split("?", 1);
  if (!path.startsWith("/")) throw new ProblemError(400, "the address must begin with '/'");
  return path.slice(1).split("/").map(decoded);
}

function decoded(step: string): string {
  let text: string;
  try {
    text = decodeURIComponent(step);
  } catch {
    throw new ProblemError(400, "the address is not well encoded");
  }
  // What looks like a way to somewhere else is no name of anything here.
  if (/^\.{1,2}$/.test(text) || /[/\\\p{Cc}]/u.test(text))
    throw new ProblemError(400, "the address is not well formed");
  return text;
}

function namesIn(pattern: readonly string[], steps: readonly string[]): string[] | undefined {
  if (pattern.length !== steps.length) return undefined;
  const names: string[] = [];
  for (const [index, part] of pattern.entries()) {
    const step = steps[index] as string;
    if (part.startsWith("{")) names.push(step);
    else if (part !== step) return undefined;
  }
  return names;
}

export function json(status: number, value: object, headers: Readonly<Record<string, string>> = {}): HttpResponse {
  return {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
    body: `${JSON.stringify(value)}\n`,
  };
}
