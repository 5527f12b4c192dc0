/**
 * The server's side of the option haggling, pure: an option and its data in, what to answer and how to go on out.
 * The named states are `Outcome.next`; the bytes are framed by `handshake-reader.ts`.
 */
import { assert } from "#src/core/assert.ts";
import { exportBytesMax } from "#src/core/limits.ts";
import { nbdMetaContextCountMax, nbdNameBytesMax } from "#src/core/nbd-limits.ts";
import type { AgreedContext, Agreement } from "./agreement.ts";
import { exportNamePaddingBytes, info, option, optionError, optionReply, transmissionFlag } from "./constants.ts";
import type { ExportDirectory, NbdExport } from "./export.ts";
import {
  decodeInfoRequest,
  decodeMetaContextRequest,
  encodeBlockSizeInfo,
  encodeExportInfo,
  encodeMetaContext,
  encodeOptionReply,
  encodeServerItem,
  encodeTextInfo,
} from "./option-codec.ts";
import type { ReplyStyle } from "./reply-codec.ts";

export type TlsPolicy = "off" | "allow" | "require";

export interface Outcome {
  readonly replies: readonly Buffer[];
  readonly next: "haggle" | "secure" | "transmit" | "close";
}

const nothing = Buffer.alloc(0);
/** Three bytes each at the most: well below the longest string that a client need take. */
const reasonCharactersMax = 200;
const contextsNeedStructure = "ask for structured replies or extended headers before metadata contexts";

export class Handshake {
  readonly #exports: ExportDirectory;
  readonly #tls: TlsPolicy;
  readonly #noZeroes: boolean;
  #secured = false;
  #style: ReplyStyle = "simple";
  #contexts: { readonly exportName: string; readonly agreed: readonly AgreedContext[] } | undefined;
  #agreement: Agreement | undefined;

  constructor(exports: ExportDirectory, tls: TlsPolicy, noZeroes: boolean) {
    this.#exports = exports;
    this.#tls = tls;
    this.#noZeroes = noZeroes;
  }

  /** What was settled; after an outcome of `transmit`. */
  get agreement(): Agreement {
    assert(this.#agreement !== undefined, "the handshake has come to its end");
    return this.#agreement;
  }

  /** TLS stands: whatever was settled in plain text could have been put there by anybody, so it is forgotten. */
  secured(): void {
    this.#secured = true;
    this.#style = "simple";
    this.#contexts = undefined;
  }

  option(code: number, data: Buffer): Outcome {
    if (this.#tls === "require" && !this.#secured && code !== option.startTls && code !== option.abort) {
      // EXPORT_NAME has no way to say no but hanging up.
      if (code === option.exportName) return { replies: [], next: "close" };
      return refuse(code, optionError.tlsRequired, "this server wants STARTTLS first");
    }
    switch (code) {
      case option.exportName:
        return this.#exportName(data);
      case option.abort:
        return { replies: [encodeOptionReply(code, optionReply.ack, nothing)], next: "close" };
      case option.list:
        return this.#list(data);
      case option.startTls:
        return this.#startTls(data);
      case option.info:
      case option.go:
        return this.#describe(code, data);
      case option.structuredReply:
        return this.#structuredReply(data);
      case option.extendedHeaders:
        return this.#extendedHeaders(data);
      case option.listMetaContext:
      case option.setMetaContext:
        return this.#metaContext(code, data);
      default:
        return refuse(code, optionError.unsupported, "unknown option");
    }
  }

  #exportName(data: Buffer): Outcome {
    const target = data.length <= nbdNameBytesMax ? this.#exports.find(data.toString("utf8")) : undefined;
    if (target === undefined || this.#style === "extended") return { replies: [], next: "close" };
    this.#agree(target);
    const described = encodeExportInfo(target.sizeBytes, this.#flags(target)).subarray(2);
    const padding = this.#noZeroes ? nothing : Buffer.alloc(exportNamePaddingBytes);
    return { replies: [described, padding], next: "transmit" };
  }

  #list(data: Buffer): Outcome {
    if (data.length > 0) return refuse(option.list, optionError.invalid, "LIST takes no data");
    const items = this.#exports
      .list()
      .map((one) => encodeOptionReply(option.list, optionReply.server, encodeServerItem(one.name, one.description)));
    return accept(option.list, items);
  }

  #startTls(data: Buffer): Outcome {
    if (data.length > 0) return refuse(option.startTls, optionError.invalid, "STARTTLS takes no data");
    if (this.#secured) return refuse(option.startTls, optionError.invalid, "TLS is already in use");
    if (this.#tls === "off") return refuse(option.startTls, optionError.policy, "this server has no certificate");
    return { replies: [encodeOptionReply(option.startTls, optionReply.ack, nothing)], next: "secure" };
  }

  #describe(code: number, data: Buffer): Outcome {
    const request = decodeInfoRequest(data);
    if (request === undefined) return refuse(code, optionError.invalid, "malformed INFO or GO");
    const target = this.#exports.find(request.name);
    if (target === undefined) return refuse(code, optionError.unknown, `no export named '${request.name}'`);
    const items = [encodeExportInfo(target.sizeBytes, this.#flags(target)), encodeBlockSizeInfo(target.blockSizes)];
    if (request.wanted.includes(info.name)) items.push(encodeTextInfo(info.name, target.name));
    if (request.wanted.includes(info.description)) items.push(encodeTextInfo(info.description, target.description));
    const replies = items.map((item) => encodeOptionReply(code, optionReply.info, item));
    if (code === option.info) return accept(code, replies);
    this.#agree(target);
    return { ...accept(code, replies), next: "transmit" };
  }

  #structuredReply(data: Buffer): Outcome {
    const code = option.structuredReply;
    if (data.length > 0) return refuse(code, optionError.invalid, "STRUCTURED_REPLY takes no data");
    if (this.#style === "extended") {
      return refuse(code, optionError.extendedHeadersRequired, "extended headers are already in use");
    }
    this.#style = "structured";
    return accept(code, []);
  }

  #extendedHeaders(data: Buffer): Outcome {
    const code = option.extendedHeaders;
    if (data.length > 0) return refuse(code, optionError.invalid, "EXTENDED_HEADERS takes no data");
    this.#style = "extended";
    return accept(code, []);
  }

  #metaContext(code: number, data: Buffer): Outcome {
    const request = decodeMetaContextRequest(data);
    // Whatever comes of it, a new SET takes the place of an earlier one.
    if (code === option.setMetaContext) this.#contexts = undefined;
    if (request === undefined) return refuse(code, optionError.invalid, "malformed metadata context request");
    if (request === "too-many") return refuse(code, optionError.tooBig, "too many queries");
    if (this.#style === "simple") return refuse(code, optionError.invalid, contextsNeedStructure);
    const target = this.#exports.find(request.name);
    if (target === undefined) return refuse(code, optionError.unknown, `no export named '${request.name}'`);
    const matches = code === option.setMetaContext ? matchesExactly : matchesListing;
    const agreed = target.metaContexts
      .map((name, index) => ({ id: index + 1, name }))
      .filter((context) => matches(context.name, request.queries))
      .slice(0, nbdMetaContextCountMax);
    if (code === option.setMetaContext) this.#contexts = { exportName: request.name, agreed };
    const replies = agreed.map((context) =>
      encodeOptionReply(code, optionReply.metaContext, encodeMetaContext(context.id, context.name)),
    );
    return accept(code, replies);
  }

  #agree(target: NbdExport): void {
    assert(target.sizeBytes >= 0 && target.sizeBytes <= exportBytesMax, "an export's size is a safe number");
    this.#agreement = { target, style: this.#style, contexts: this.#contextsFor(target) };
  }

  /** Contexts were chosen for one export; for another one they mean nothing. */
  #contextsFor(target: NbdExport): readonly AgreedContext[] {
    const contexts = this.#contexts;
    return contexts !== undefined && this.#exports.find(contexts.exportName) === target ? contexts.agreed : [];
  }

  #flags(target: NbdExport): number {
    const { features } = target;
    let flags: number = transmissionFlag.hasFlags;
    if (features.readOnly) flags |= transmissionFlag.readOnly;
    if (features.flush) flags |= transmissionFlag.sendFlush | transmissionFlag.sendFua;
    if (features.rotational) flags |= transmissionFlag.rotational;
    if (features.trim && !features.readOnly) flags |= transmissionFlag.sendTrim;
    if (features.writeZeroes && !features.readOnly) {
      flags |= transmissionFlag.sendWriteZeroes;
      if (features.fastZero) flags |= transmissionFlag.sendFastZero;
    }
    if (features.multiConnection) flags |= transmissionFlag.canMultiConn;
    if (features.cache) flags |= transmissionFlag.sendCache;
    if (this.#style !== "simple") flags |= transmissionFlag.sendDf;
    if (this.#style === "extended" && this.#contextsFor(target).length > 0)
      flags |= transmissionFlag.blockStatusPayload;
    return flags;
  }
}

function accept(code: number, replies: readonly Buffer[]): Outcome {
  return { replies: [...replies, encodeOptionReply(code, optionReply.ack, nothing)], next: "haggle" };
}

export function refuse(code: number, error: number, why: string): Outcome {
  return {
    replies: [encodeOptionReply(code, error, Buffer.from(why.slice(0, reasonCharactersMax), "utf8"))],
    next: "haggle",
  };
}

function matchesExactly(name: string, queries: readonly string[]): boolean {
  return queries.includes(name);
}

/** In a listing no query asks for everything, and a bare namespace ("base:") for all that is in it. */
function matchesListing(name: string, queries: readonly string[]): boolean {
  if (queries.length === 0) return true;
  return queries.some((query) => query === name || (query.endsWith(":") && name.startsWith(query)));
}
