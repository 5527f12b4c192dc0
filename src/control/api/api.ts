/** The control API: one request in, one answer out, and never an exception. */
import type { HttpHandler, HttpRequest, HttpResponse } from "#src/host/http.ts";
import type { Log } from "#src/host/log.ts";
import type { Door } from "./door.ts";
import { problemOf } from "./problem.ts";
import { findRoute, type Route } from "./route.ts";
import { type Fields, readBody } from "./shape.ts";

export interface ApiParts {
  readonly routes: readonly Route[];
  readonly door: Door;
  readonly log: Log;
}

export function apiOver({ routes, door, log }: ApiParts): HttpHandler {
  return async (request) => {
    try {
      const { response, fields } = await answer(request, routes, door);
      const { method, target } = request;
      const order = Object.keys(fields).length === 0 ? {} : { order: fields };
      if (method !== "GET") log.info("an order was carried out", { method, target, ...order });
      return response;
    } catch (error) {
      const response = problemOf(error);
      const level = response.status >= 500 ? "error" : "debug";
      log[level]("a request was not done", { method: request.method, target: request.target, error });
      return response;
    }
  };
}

interface Answer {
  readonly response: HttpResponse;
  /** What the body asked for: nothing in it is secret. */
  readonly fields: Fields;
}

async function answer(request: HttpRequest, routes: readonly Route[], door: Door): Promise<Answer> {
  const { route, names, flags } = findRoute(routes, request.method, request.target);
  if (route.isOpen !== true) door.check(request);
  const fields = route.shape === undefined ? {} : readBody(request.body, request.headers["content-type"], route.shape);
  return { response: await route.answer(names, fields, flags), fields };
}
