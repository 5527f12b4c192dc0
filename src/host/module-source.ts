/** The program's own modules and those of its packages as texts, for whoever hands them to a browser. */
export interface ModuleSource {
  /** Of a module of the program, by its path within `src`, without an ending: `ui/main`. Throws where there is none. */
  module(path: string): string;
  /** Of any other file within `src`. */
  file(path: string): string;
  /** Of what a package offers under this name: `preact/hooks`. */
  package(specifier: string): string;
}
