/**
 * The client's side of the handshake as named states, pure: it is fed what the server said and gives what to do next.
 *
 *   greeting ─▶ start-tls ─▶ securing ─▶ extended-headers ─▶ structured-reply ─▶ set-meta-context ─▶ go ─▶ over
 *                                              │ agreed: no need of ▲                                 └▶ export-name ─▶ over
 *   list:       greeting ─▶ … ─▶ list ─▶ over
 *   describe:   greeting ─▶ … ─▶ structured-reply ─▶ info ─▶ list-meta-context ─▶ over
 *
 * States that nobody wants are left out. A refusal of something optional leads on; any other is the end.
 */
import { assert, assertNever } from "#src/core/assert.ts";
import { nbdClientExportCountMax, nbdMetaContextCountMax } from "#src/core/nbd-limits.ts";
import { handshakeFlag, info, option, optionError, optionReply } from "../constants.ts";
import { decodeMetaContext, decodeServerItem, encodeInfoRequest, encodeMetaContextRequest } from "../option-codec.ts";
import type { ReplyStyle } from "../reply-codec.ts";
import { NbdConnectionError, NbdOptionError, NbdProtocolError, printable } from "./errors.ts";
import { addInfo, completeDetails, type ExportDetails, type PartialDetails } from "./export-details.ts";

/** What to ask for; a server that cannot do it is talked to without. */
export interface Wants {
  readonly structured: boolean;
  /** Headers with lengths of 64 bits. They include all that structured replies offer. */
  readonly extended: boolean;
  readonly metaContexts: readonly string[];
}

export interface MetaContext {
  readonly id: number;
  readonly name: string;
}

export interface ExportSummary {
  readonly name: string;
  readonly description: string;
}

export type Goal =
  | { readonly kind: "open"; readonly exportName: string; readonly want: Wants }
  | { readonly kind: "list" }
  | { readonly kind: "describe"; readonly exportName: string };

export type Outcome =
  | {
      readonly kind: "open";
      readonly style: ReplyStyle;
      readonly details: ExportDetails;
      readonly contexts: readonly MetaContext[];
    }
  | { readonly kind: "list"; readonly exports: readonly ExportSummary[] }
  | { readonly kind: "describe"; readonly details: ExportDetails; readonly contextNames: readonly string[] };

type State =
  | { readonly name: "greeting" }
  | { readonly name: "start-tls" }
  | { readonly name: "securing" }
  | { readonly name: "extended-headers" }
  | { readonly name: "structured-reply" }
  | { readonly name: "set-meta-context"; readonly contexts: MetaContext[] }
  | { readonly name: "go"; readonly details: PartialDetails }
  | { readonly name: "export-name" }
  | { readonly name: "list"; readonly exports: ExportSummary[] }
  | { readonly name: "info"; readonly details: PartialDetails }
  | { readonly name: "list-meta-context"; readonly details: ExportDetails; readonly names: string[] }
  | { readonly name: "over" };

export type Step =
  | { readonly kind: "send"; readonly option: number; readonly data: Uint8Array }
  /** The same option has more replies to come. */
  | { readonly kind: "wait" }
  | { readonly kind: "secure" }
  | { readonly kind: "over"; readonly outcome: Outcome };

const noData = new Uint8Array(0);
const wait: Step = { kind: "wait" };

export class Handshake {
  readonly #goal: Goal;
  readonly #tls: boolean;
  #state: State = { name: "greeting" };
  #style: ReplyStyle = "simple";
  #contexts: readonly MetaContext[] = [];

  constructor(goal: Goal, tls: boolean) {
    this.#goal = goal;
    this.#tls = tls;
  }

  get state(): State["name"] {
    return this.#state.name;
  }

  greeted(serverFlags: number): { readonly clientFlags: number; readonly step: Step } {
    assert(this.#state.name === "greeting", "a server greets once");
    const clientFlags = serverFlags & (handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes);
    if ((serverFlags & handshakeFlag.fixedNewstyle) !== 0) {
      return { clientFlags, step: this.#tls ? this.#ask({ name: "start-tls" }, option.startTls) : this.#begin() };
    }
    if (this.#tls) throw new NbdConnectionError("the server is too old for TLS, and TLS was asked for");
    if (this.#goal.kind === "open") return { clientFlags, step: this.#askByName(this.#goal.exportName) };
    throw new NbdConnectionError("the server is too old to tell of its exports without opening one");
  }

  secured(): Step {
    assert(this.#state.name === "securing", "TLS stands after it was agreed upon");
    return this.#begin();
  }

  /** A reply to the option that was sent last. */
  replied(type: number, data: Uint8Array): Step {
    if (type >= 0x8000_0000) return this.#refused(type, printable(data));
    if (type !== optionReply.ack) return this.#item(type, data);
    if (data.length > 0) throw new NbdProtocolError("the server acknowledged an option with data");
    return this.#acknowledged();
  }

  /** The answer to EXPORT_NAME, which is no reply like the others. */
  exportAnswered(details: ExportDetails): Step {
    assert(this.#state.name === "export-name", "the export was asked for by its name alone");
    return this.#over({ kind: "open", style: this.#style, details, contexts: [] });
  }

  #begin(): Step {
    const goal = this.#goal;
    switch (goal.kind) {
      case "list":
        return this.#ask({ name: "list", exports: [] }, option.list);
      case "describe":
        return this.#ask({ name: "structured-reply" }, option.structuredReply);
      case "open":
        if (goal.want.extended) return this.#ask({ name: "extended-headers" }, option.extendedHeaders);
        return this.#askForStructure(goal.want);
      default:
        return assertNever(goal);
    }
  }

  #acknowledged(): Step {
    const state = this.#state;
    switch (state.name) {
      case "start-tls":
        this.#state = { name: "securing" };
        return { kind: "secure" };
      case "extended-headers":
        this.#style = "extended";
        return this.#askForContexts();
      case "structured-reply":
        this.#style = "structured";
        return this.#askForContexts();
      case "set-meta-context":
        this.#contexts = state.contexts;
        return this.#askToGo();
      case "go":
        return this.#over({
          kind: "open",
          style: this.#style,
          details: completeDetails(state.details),
          contexts: this.#contexts,
        });
      case "list":
        return this.#over({ kind: "list", exports: state.exports });
      case "info":
        return this.#askForContextNames(completeDetails(state.details));
      case "list-meta-context":
        return this.#over({ kind: "describe", details: state.details, contextNames: state.names });
      default:
        throw new NbdProtocolError(`the server acknowledged nothing that was asked (${state.name})`);
    }
  }

  /** One of several replies to the same option. */
  #item(type: number, data: Uint8Array): Step {
    const state = this.#state;
    if ((state.name === "go" || state.name === "info") && type === optionReply.info) addInfo(state.details, data);
    else if (state.name === "list" && type === optionReply.server) addExport(state.exports, data);
    else if (state.name === "set-meta-context" && type === optionReply.metaContext) addContext(state.contexts, data);
    else if (state.name === "list-meta-context" && type === optionReply.metaContext) addContextName(state.names, data);
    else throw new NbdProtocolError(`the server sent a reply of type ${type}, which does not belong to ${state.name}`);
    return wait;
  }

  #refused(type: number, text: string): Step {
    const state = this.#state;
    const isOptional = type !== optionError.shutdown && type !== optionError.tlsRequired;
    if (isOptional) {
      if (state.name === "extended-headers" && this.#goal.kind === "open")
        return this.#askForStructure(this.#goal.want);
      if (state.name === "structured-reply") return this.#askForContexts();
      if (state.name === "set-meta-context") return this.#askToGo();
      if (state.name === "list-meta-context") {
        return this.#over({ kind: "describe", details: state.details, contextNames: [] });
      }
    }
    const canGoByName = type === optionError.unsupported && this.#style !== "extended";
    if (state.name === "go" && canGoByName && this.#goal.kind === "open") return this.#askByName(this.#goal.exportName);
    throw new NbdOptionError(describeRequest(state.name, this.#goal), type, text);
  }

  #askForStructure(want: Wants): Step {
    if (want.structured) return this.#ask({ name: "structured-reply" }, option.structuredReply);
    return this.#askForContexts();
  }

  #askForContexts(): Step {
    const goal = this.#goal;
    if (goal.kind !== "open") return this.#askForInfo();
    if (this.#style === "simple" || goal.want.metaContexts.length === 0) return this.#askToGo();
    const data = encodeMetaContextRequest({ name: goal.exportName, queries: goal.want.metaContexts });
    return this.#ask({ name: "set-meta-context", contexts: [] }, option.setMetaContext, data);
  }

  #askToGo(): Step {
    return this.#ask({ name: "go", details: {} }, option.go, this.#infoRequest());
  }

  #askForInfo(): Step {
    return this.#ask({ name: "info", details: {} }, option.info, this.#infoRequest());
  }

  #askForContextNames(details: ExportDetails): Step {
    assert(this.#goal.kind === "describe", "names of contexts are part of a description");
    if (this.#style === "simple") return this.#over({ kind: "describe", details, contextNames: [] });
    const data = encodeMetaContextRequest({ name: this.#goal.exportName, queries: [] });
    return this.#ask({ name: "list-meta-context", details, names: [] }, option.listMetaContext, data);
  }

  #askByName(exportName: string): Step {
    this.#contexts = [];
    return this.#ask({ name: "export-name" }, option.exportName, Buffer.from(exportName, "utf8"));
  }

  #infoRequest(): Uint8Array {
    assert(this.#goal.kind !== "list", "a list is about no export");
    return encodeInfoRequest({ name: this.#goal.exportName, wanted: [info.blockSize, info.name, info.description] });
  }

  #ask(state: State, code: number, data: Uint8Array = noData): Step {
    this.#state = state;
    return { kind: "send", option: code, data };
  }

  #over(outcome: Outcome): Step {
    this.#state = { name: "over" };
    return { kind: "over", outcome };
  }
}

function addExport(exports: ExportSummary[], data: Uint8Array): void {
  const item = decodeServerItem(data);
  if (item === undefined) throw new NbdProtocolError("the server sent an item of its list in a wrong form");
  if (exports.length === nbdClientExportCountMax) {
    throw new NbdProtocolError(`the server lists more than ${nbdClientExportCountMax} exports`);
  }
  exports.push(item);
}

function addContext(contexts: MetaContext[], data: Uint8Array): void {
  const context = decodeMetaContext(data);
  if (context === undefined) throw new NbdProtocolError("the server sent a metadata context in a wrong form");
  if (contexts.some((other) => other.id === context.id)) {
    throw new NbdProtocolError(`the server gave two metadata contexts the number ${context.id}`);
  }
  if (contexts.length === nbdMetaContextCountMax) {
    throw new NbdProtocolError(`the server chose more than ${nbdMetaContextCountMax} metadata contexts`);
  }
  contexts.push(context);
}

function addContextName(names: string[], data: Uint8Array): void {
  const context = decodeMetaContext(data);
  if (context === undefined) throw new NbdProtocolError("the server sent a metadata context in a wrong form");
  if (names.length === nbdClientExportCountMax) {
    throw new NbdProtocolError(`the server lists more than ${nbdClientExportCountMax} metadata contexts`);
  }
  names.push(context.name);
}

function describeRequest(state: State["name"], goal: Goal): string {
  if (goal.kind !== "list" && (state === "go" || state === "info")) return `the export "${goal.exportName}"`;
  if (state === "start-tls") return "TLS";
  return `the option ${state}`;
}
