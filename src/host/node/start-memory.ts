/** What a start leaves behind, and nothing needs while the program runs. */
import module from "node:module";
import { libc } from "./libc.ts";

/**
 * Node keeps all compiled code that it read from its cache, or would write there, until a thread ends; writing it down
 * lets go of it. The C library keeps what was freed, in pieces, unless it is told to give the pages back.
 */
export function giveBackStartMemory(): void {
  module.flushCompileCache();
  libc?.giveBackFreePages();
}
