/** Addresses as they come: what may stand in one, and which routes it fits. */
import { isName } from "../name.ts";
import { ProblemError } from "./problem.ts";

export function pathOf(target: string): string {
  return target.split("?", 1)[0] as string;
}

/** Names are looked up and never become paths; what looks like a way to somewhere else is refused all the same. */
export function checkAddress(target: string): void {
  const path = pathOf(target);
  if (!path.startsWith("/")) throw new ProblemError(400, "the address must begin with '/'");
  for (const step of path.slice(1).split("/")) checkStep(step);
}

function checkStep(step: string): void {
  let text: string;
  try {
    text = decodeURIComponent(step);
  } catch {
    throw new ProblemError(400, "the address is not well encoded");
  }
  // Where several groups have a volume of one name, GROUP/VOLUME says which, and a number behind it which one of its history.
  if (isPair(text.replace(/#\d+$/, ""))) return;
  if (/^\.{1,2}$/.test(text) || /[/\\\p{Cc}]/u.test(text)) {
    throw new ProblemError(400, "the address is not well formed");
  }
}

function isPair(text: string): boolean {
  const names = text.split("/");
  return names.length === 2 && names.every(isName);
}

/** The names in a route's path, in their order. */
export function namesOf(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
}

/** Of all paths that a route is for. */
export function patternOf(path: string): RegExp {
  const steps = path.replace(/[.]/g, "\\$&").replace(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${steps.replace(/\*$/, ".*")}$`);
}
