/** The ways to a server: open an export, list the exports, ask about one. */
import { assert } from "#src/core/assert.ts";
import { NbdClient } from "./client.ts";
import type { ExportDetails } from "./export-details.ts";
import type { ExportSummary, Goal, Outcome, Wants } from "./handshake.ts";
import { holdSession, type SessionOptions } from "./session.ts";
import { Transmission } from "./transmission.ts";

export interface ConnectOptions extends SessionOptions {
  readonly exportName: string;
  readonly want: Wants;
}

export interface ExportDescription extends ExportDetails {
  /** The metadata contexts that the server offers for this export. */
  readonly contextNames: readonly string[];
}

export async function connect(options: ConnectOptions): Promise<NbdClient> {
  const { clock, requestTimeoutMs, exportName, want } = options;
  let client: NbdClient | undefined;
  await holdSession(options, { kind: "open", exportName, want }, (outcome, connection) => {
    assert(outcome.kind === "open", "what was asked for is what came of it");
    const { style, contexts, details } = outcome;
    const transmission = new Transmission(connection, { clock, requestTimeoutMs, style, contexts });
    client = new NbdClient({ exportName, details, contexts, style, transmission, clock });
    return transmission;
  });
  assert(client !== undefined, "a session that was held has opened the export");
  return client;
}

/** The exports that the server tells of; it may have others. */
export async function listExports(options: SessionOptions): Promise<readonly ExportSummary[]> {
  const outcome = await ask(options, { kind: "list" });
  assert(outcome.kind === "list", "what was asked for is what came of it");
  return outcome.exports;
}

export async function describeExport(options: SessionOptions, exportName: string): Promise<ExportDescription> {
  const outcome = await ask(options, { kind: "describe", exportName });
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
