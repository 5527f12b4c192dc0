/**
 * The page's own small server: the document, which is asked for each time, and the files that it names, which never change under
 * their names.
 */
import { createHash } from "node:crypto";
import type { HttpResponse } from "#src/host/http.ts";
import type { ModuleSource } from "#src/host/module-source.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { LoadedLater } from "../http/loaded-later.ts";
import { type PageFiles, type PageParts, pageFiles } from "./page-modules.ts";

export const pagePrefix = "/page";

const parts: PageParts = {
  entry: "ui/main",
  packages: { preact: "preact", "preact/hooks": "preact/hooks", uplot: "uplot/dist/uPlot.esm.js" },
  styles: [
    { served: "packages/uplot.css", from: { package: "uplot/dist/uPlot.min.css" } },
    ...["tokens", "layout", "parts", "timeline", "dialogs"].map((name) => {
      const served = `ui/styles/${name}.css`;
      return { served, from: { file: served } };
    }),
  ],
  icon: "ui/icon.svg",
};

/** Whatever gets into the page, it cannot load, run or send anything elsewhere, nor be shown within another page. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const guards = {
  "content-security-policy": policy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
} as const;

interface MadePage {
  readonly files: PageFiles;
  readonly document: string;
  readonly tag: string;
}

export class Page {
  /** Made when somebody looks for the first time: commands alone never need it. */
  readonly #made: LoadedLater<MadePage>;

  constructor(source: ModuleSource) {
    this.#made = new LoadedLater(() => madeOf(source));
  }

  /** Of a path, without what a query says; `ifNoneMatch` as the header says. Undefined: that is nothing of the page's. */
  async answer(path: string, ifNoneMatch: string | undefined): Promise<HttpResponse | undefined> {
    if (path === "/") return this.#document(ifNoneMatch);
    if (!path.startsWith(`${pagePrefix}/`)) return undefined;
    const { files } = await this.#made.get();
    const folder = `${pagePrefix}/${files.digest}/`;
    const file = path.startsWith(folder) ? files.files.get(path.slice(folder.length)) : undefined;
    if (file === undefined) return undefined;
    const headers = { ...guards, "content-type": file.type, "cache-control": "public, max-age=31536000, immutable" };
    return { status: 200, headers, body: file.text };
  }

  async #document(ifNoneMatch: string | undefined): Promise<HttpResponse> {
    const { document, tag } = await this.#made.get();
    const headers = { ...guards, "content-type": "text/html; charset=utf-8", "cache-control": "no-cache", etag: tag };
    const isKnown = (ifNoneMatch ?? "").split(",").some((one) => one.trim().replace(/^W\//, "") === tag);
    return isKnown ? { status: 304, headers, body: "" } : { status: 200, headers, body: document };
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => nodeClock.soon(resolve));
}

async function madeOf(source: ModuleSource): Promise<MadePage> {
  const files = await pageFiles(source, parts, nextTurn);
  const folder = `${pagePrefix}/${files.digest}`;
  const links = [
    ...parts.styles.map(({ served }) => `<link rel="stylesheet" href="${folder}/${served}">`),
    ...files.modules.map((path) => `<link rel="modulepreload" href="${folder}/${path}">`),
    `<script type="module" src="${folder}/${parts.entry}.js"></script>`,
  ];
  const document = source
    .file("ui/page.html")
    .replace("<!-- files -->", () => links.join("\n    "))
    .replaceAll("{folder}", () => folder);
  const tag = `"${createHash("sha256").update(document).digest("hex").slice(0, 16)}"`;
  return { files, document, tag };
}
