/** A text that one copies with a click. */
import { type ComponentChild, h } from "preact";
import { useState } from "preact/hooks";

export function CopyText({ text, what }: { readonly text: string; readonly what: string }): ComponentChild {
  const [copied, setCopied] = useState<string | undefined>(undefined);
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(text),
      () => setCopied(undefined),
    );
  };
  return h(
    "div",
    { class: "copy" },
    h("code", null, text),
    h(
      "button",
      { type: "button", class: "button plain", "aria-label": `Copy ${what}`, onClick: copy },
      copied === text ? "Copied" : "Copy",
    ),
  );
}
