/** What a start leaves behind, and nothing needs while the program runs. */
import module from "node:module";
import { setFlagsFromString } from "node:v8";
import { libc } from "./libc.ts";

/**
 * Node keeps all compiled code that it read from its cache, or would write there, until a thread ends; writing it down
 * lets go of it. The C library keeps what was freed, in pieces, unless it is told to give the pages back.
 */
export function giveBackStartMemory(): void {
  module.flushCompileCache();
  libc?.giveBackFreePages();
}

/**
 * Hardly anything on the way of a request is garbage, so a large nursery would only be memory: the main thread's, which was
 * made before anything could be said of it, grows no more. Said once all is loaded: what Node and its cache have compiled
 * counts only for the flags that it was compiled with. Other versions than the one that all is measured with do not bear it.
 */
export function keepNursery(): void {
  if (Number.parseInt(process.versions.node, 10) === 26) setFlagsFromString("--semi-space-growth-factor=1");
}
