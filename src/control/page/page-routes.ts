/** The page among the API's routes. It is open to all: what it shows it asks the API for. */
import type { PlainRoute, Route } from "../http/route.ts";
import { type Page, pagePrefix } from "./page.ts";

export function pageRoutes(page: Page): readonly Route[] {
  const answer: PlainRoute["answer"] = async ({ path, header }) => page.answer(path, header("if-none-match"));
  const line = { kind: "plain", method: "GET", role: "open", answer } as const;
  return [
    { ...line, path: "/", summary: "the page" },
    { ...line, path: `${pagePrefix}/*`, summary: "the files of the page" },
  ];
}
