/** The ways to a server: open an export, list the exports, ask about one. */
import { assert } from "#src/core/assert.ts";
import { nbdClientConnectMs, nbdClientRequestMs } from "#src/core/nbd-limits.ts";
import { NbdClient } from "./client.ts";
import type { ExportDetails } from "./export-details.ts";
import type { ExportSummary, Goal, Outcome, Wants } from "./handshake.ts";
import { holdSession, type SessionOptions } from "./session.ts";
import { Transmission } from "./transmission.ts";

type TimeoutName = "connectTimeoutMs" | "requestTimeoutMs";

/** As a session's options, but the time-outs have defaults. */
export type ServerOptions = Omit<SessionOptions, TimeoutName> & Partial<Pick<SessionOptions, TimeoutName>>;

export type ConnectOptions = ServerOptions & {
  readonly exportName: string;
  /** What to ask the server for beside the export; all that may make requests better, and no metadata contexts. */
  readonly want?: Partial<Wants>;
  /** A flush may take as long as it takes while the connection stands, and others as long as they wait for it. Not so by default. */
  readonly waitsForFlushes?: boolean;
};

const wantsByDefault: Wants = { structured: true, extended: true, metaContexts: [] };

function withTimeouts<Options extends ServerOptions>(options: Options): Options & SessionOptions {
  return {
    ...options,
    connectTimeoutMs: options.connectTimeoutMs ?? nbdClientConnectMs,
    requestTimeoutMs: options.requestTimeoutMs ?? nbdClientRequestMs,
  };
}

export interface ExportDescription extends ExportDetails {
  /** The metadata contexts that the server offers for this export. */
  readonly contextNames: readonly string[];
}

export async function connect(options: ConnectOptions): Promise<NbdClient> {
  const session = withTimeouts(options);
  const { clock, requestTimeoutMs, exportName, waitsForFlushes = false } = session;
  const want = { ...wantsByDefault, ...options.want };
  let client: NbdClient | undefined;
  await holdSession(session, { kind: "open", exportName, want }, (outcome, connection) => {
    assert(outcome.kind === "open", "what was asked for is what came of it");
    const { style, contexts, details } = outcome;
    const settings = { clock, requestTimeoutMs, waitsForFlushes, style, contexts };
    const transmission = new Transmission(connection, settings);
    client = new NbdClient({ exportName, details, contexts, style, transmission, clock });
    return transmission;
  });
  assert(client !== undefined, "a session that was held has opened the export");
  return client;
}

/** The exports that the server tells of; it may have others. */
export async function listExports(options: ServerOptions): Promise<readonly ExportSummary[]> {
  const outcome = await ask(withTimeouts(options), { kind: "list" });
  assert(outcome.kind === "list", "what was asked for is what came of it");
  return outcome.exports;
}

export async function describeExport(options: ServerOptions, exportName: string): Promise<ExportDescription> {
  const outcome = await ask(withTimeouts(options), { kind: "describe", exportName });
  assert(outcome.kind === "describe", "what was asked for is what came of it");
  return { ...outcome.details, contextNames: outcome.contextNames };
}

async function ask(options: SessionOptions, goal: Goal): Promise<Outcome> {
  let answer: Outcome | undefined;
  await holdSession(options, goal, (outcome) => {
    answer = outcome;
    return undefined;
  });
  assert(answer !== undefined, "a session that was held has an outcome");
  return answer;
}
