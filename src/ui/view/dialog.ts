/** A question in front of the page; closes with Escape as well. */
import { type ComponentChild, type ComponentChildren, h } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface DialogParts {
  readonly title: string;
  readonly close: () => void;
  readonly submit: () => void;
  readonly children?: ComponentChildren;
}

export function Dialog({ title, close, submit, children }: DialogParts): ComponentChild {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => element.current?.showModal(), []);
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    submit();
  };
  return h(
    "dialog",
    { ref: element, "aria-labelledby": "dialog-title", onClose: close },
    h("form", { class: "dialog", onSubmit }, h("h2", { id: "dialog-title" }, title), children),
  );
}
