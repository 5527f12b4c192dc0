/** The top of the page: what this is, how it is, and light or dark. */
import { type ComponentChild, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Desk } from "../desk.ts";
import { healthOf, type PageState } from "../page-state.ts";
import { useNow } from "./hooks.ts";
import { iconAddress } from "./icon-address.ts";

export function Header({ desk, state }: { readonly desk: Desk; readonly state: PageState }): ComponentChild {
  const { kind, words } = healthOf(state);
  return h(
    "header",
    { class: "top" },
    h("a", { class: "brand", href: "#/" }, h("img", { src: iconAddress(), alt: "" }), "Tidemark"),
    h("span", { class: `badge ${kind}`, role: "status" }, words),
    h(
      "div",
      { class: "top-end" },
      h(ConnectionWords, { desk, state }),
      h(SchemeSwitch, { desk }),
      desk.hasToken &&
        h("button", { type: "button", class: "button plain", onClick: () => desk.logOut() }, "Forget token"),
      !desk.hasToken &&
        !state.mayOperate &&
        h("button", { type: "button", class: "button plain", onClick: () => desk.askForToken() }, "Give a token"),
    ),
  );
}

function ConnectionWords({ desk, state }: { readonly desk: Desk; readonly state: PageState }): ComponentChild | null {
  const { connection } = state;
  if (connection.kind === "live") return h("span", { class: "small soft" }, "live");
  if (connection.kind === "asking") return h("span", { class: "small soft" }, "asked every 2 s");
  return connection.kind === "lost" ? h(LostWords, { desk, againAtMs: connection.againAtMs }) : null;
}

function LostWords({ desk, againAtMs }: { readonly desk: Desk; readonly againAtMs: number }): ComponentChild {
  const seconds = Math.max(0, Math.ceil((againAtMs - useNow(desk, 500)) / 1000));
  return h(
    "span",
    { class: "row small soft" },
    seconds === 0 ? "trying again" : `trying again in ${seconds} s`,
    h("button", { type: "button", class: "button plain", onClick: () => desk.connectNow() }, "Now"),
  );
}

const schemes = ["auto", "light", "dark"] as const;

function SchemeSwitch({ desk }: { readonly desk: Desk }): ComponentChild {
  const [scheme, setScheme] = useState(desk.browser.kept("scheme") ?? "auto");
  useEffect(() => {
    if (scheme === "auto") delete document.documentElement.dataset.scheme;
    else document.documentElement.dataset.scheme = scheme;
    desk.browser.keep("scheme", scheme === "auto" ? undefined : scheme);
  }, [scheme]);
  return h(
    "div",
    { class: "segments", role: "group", "aria-label": "Colours" },
    schemes.map((one) =>
      h(
        "button",
        { key: one, type: "button", "aria-pressed": one === scheme, onClick: () => setScheme(one) },
        one[0]?.toUpperCase(),
        one.slice(1),
      ),
    ),
  );
}
