/**
 * Names of our own modules are found by their text alone. Node asks the disk about each import on its own, for what packages and
 * links could make of it, and a start of the program has a thousand imports in three threads: that was a seventh of its work.
 * Plain JavaScript, for it comes before whatever strips types; in a package its folder is `dist`.
 */
import module from "node:module";

const sources = import.meta.url.slice(0, import.meta.url.lastIndexOf("host/node/"));

/** Of a module that a module of ours imports; undefined where it is none of ours. */
function ownUrl(specifier, parent) {
  if (specifier.startsWith("#src/")) return sources + specifier.slice("#src/".length);
  const isRelative = specifier.startsWith("./") || specifier.startsWith("../");
  return isRelative ? new URL(specifier, parent).href : undefined;
}

function formatOf(url) {
  if (url.endsWith(".ts")) return "module-typescript";
  return url.endsWith(".js") ? "module" : undefined;
}

module.registerHooks({
  resolve(specifier, context, next) {
    const parent = context.parentURL;
    if (parent === undefined || !parent.startsWith(sources)) return next(specifier, context);
    const url = ownUrl(specifier, parent);
    const format = url === undefined ? undefined : formatOf(url);
    return format === undefined ? next(specifier, context) : { url, format, shortCircuit: true };
  },
});
