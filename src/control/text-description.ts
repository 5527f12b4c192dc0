/** What lies in a file that is text with checksums: a document, or lines such as those of the audit log and of events. */
import { StopError } from "#src/core/errors.ts";
import { type DocumentKind, decodeDocument } from "#src/host/document.ts";
import { eventsIn } from "./http/events/event-line.ts";
import { readSummedLine } from "./http/summed-line.ts";

export type TextItem =
  | ({ readonly kind: "document"; readonly content: unknown } & DocumentKind)
  | ({ readonly kind: "head" } & DocumentKind)
  | { readonly kind: "line"; readonly says: object }
  /** It is not as it was written. */
  | { readonly kind: "flaw"; readonly finding: string };

/** Undefined: it is no such file. `path`: for people. */
export function describeText(bytes: Buffer, path: string): readonly TextItem[] | undefined {
  const text = bytes.toString("utf8");
  const [first = "", ...lines] = text.split("\n");
  const head = readSummedLine(first);
  if (head === undefined || !isKind(head)) return describeDocument(bytes, path, text);
  // Of these some are written over in part, which is not said to be damage; so is what a crash has torn.
  const isOfEvents = head.format === "tidemark-events";
  const said = isOfEvents
    ? eventsIn(bytes).map(({ kept: { event, ...more } }) => ({ ...event, ...more }))
    : lines.map(readSummedLine);
  const { format, version } = head;
  return [
    { kind: "head", format, version },
    ...said.flatMap((says): TextItem[] => (says === undefined ? [] : [{ kind: "line", says }])),
  ];
}

function describeDocument(bytes: Buffer, path: string, text: string): readonly TextItem[] | undefined {
  const envelope = parsed(text);
  if (!isKind(envelope)) return undefined;
  const { format, version } = envelope;
  try {
    return [{ kind: "document", format, version, content: decodeDocument(bytes, path, { format, version }) }];
  } catch (error) {
    if (!(error instanceof StopError)) throw error;
    return [{ kind: "flaw", finding: error.message }];
  }
}

function isKind(value: unknown): value is DocumentKind {
  const { format, version } = (value ?? {}) as Partial<Record<keyof DocumentKind, unknown>>;
  return typeof format === "string" && format.startsWith("tidemark-") && Number.isSafeInteger(version);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function textLine(item: TextItem): string {
  switch (item.kind) {
    case "document":
      return `${item.format}, version ${item.version}\n${JSON.stringify(item.content, null, 2)}`;
    case "head":
      return `${item.format}, version ${item.version}`;
    case "line":
      return JSON.stringify(item.says);
    case "flaw":
      return `DAMAGED: ${item.finding}`;
  }
}
