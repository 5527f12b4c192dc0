/**
 * Node's HTTP, not by an import: that makes a name of everything it exports at once, a client for browsers' requests among them,
 * which takes longer to load than the rest of a command.
 */
export const http = process.getBuiltinModule("node:http");
