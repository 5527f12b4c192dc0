/**
 * Loaded by each process of tests before anything else: what Node has stripped of types and compiled is found by the next one. It is said
 * here and not in the environment, which the programs that tests start would take for theirs. Plain JavaScript, for what strips types
 * would be loaded for this one file.
 */
import module from "node:module";
import { join } from "node:path";

module.enableCompileCache(join(import.meta.dirname, "../../node_modules/.cache/tidemark-tests"));
