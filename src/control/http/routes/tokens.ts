/** Who may ask the API. */
import { apiTokenSecondsMax } from "#src/core/http-limits.ts";
import { nameCharactersMax } from "#src/core/limits.ts";
import { apiRoles, type Caller } from "../caller.ts";
import { apiPrefix, done, made, type Route, route } from "../route.ts";
import { choice, count, flag, list, object, optional, text, time, words } from "../schema.ts";
import type { TokenBook, TokenReport, TokenWish } from "../token-book.ts";
import { type Nothing, nothing } from "./shapes/nothing.ts";

const tokenFields = {
  name: words("what it is called"),
  role: choice(apiRoles, "what may be done with it"),
  made: time("when it was made"),
  ends: optional(time("when it ends to hold")),
  expired: flag("it does not hold any more"),
  used: optional(time("when it was shown last, since the program was started")),
};

const tokenReport = object<TokenReport>(tokenFields, "Token");

interface AddedToken extends TokenReport {
  readonly token: string;
}

/** `removed`: for whoever still goes by one that was taken away. */
export function tokenRoutes(tokens: TokenBook, removed: () => void): readonly Route[] {
  return [
    route({
      method: "GET",
      path: `${apiPrefix}/caller`,
      summary: "who asks, and what he may",
      role: "read",
      reply: object<Pick<Caller, "name" | "role">>(
        { name: words("the name of the token; local: without one"), role: choice(apiRoles, "what he may") },
        "Caller",
      ),
      answer: async ({ caller: { name, role } }) => done({ name, role }),
    }),
    route({
      method: "GET",
      path: `${apiPrefix}/tokens`,
      summary: "the tokens that there are, without what is shown of them",
      role: "admin",
      reply: object<{ readonly tokens: readonly TokenReport[] }>({
        tokens: list(tokenReport, "in the order of making"),
      }),
      answer: async () => done({ tokens: tokens.list() }),
    }),
    route({
      method: "POST",
      path: `${apiPrefix}/tokens`,
      summary: "makes a token, and tells it this once",
      role: "admin",
      body: object<TokenWish>({
        name: text("what it is to be called", { max: nameCharactersMax }),
        role: choice(apiRoles, "what may be done with it"),
        seconds: optional(count("so long it holds; for ever unless told", { min: 1, max: apiTokenSecondsMax })),
      }),
      reply: object<AddedToken>({ token: words("what its holder shows; it is kept nowhere"), ...tokenFields }),
      statuses: { 201: "it holds" },
      answer: async ({ body }) => {
        const { token, report } = await tokens.add(body);
        return made({ token, ...report }, ["tokens", report.name]);
      },
    }),
    route({
      method: "DELETE",
      path: `${apiPrefix}/tokens/{token}`,
      summary: "takes a token away; whoever listens with it is hung up on",
      role: "admin",
      reply: nothing,
      answer: async ({ names }) => {
        await tokens.remove(names.token).finally(removed);
        return done<Nothing>({});
      },
    }),
  ];
}
