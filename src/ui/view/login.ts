/** Asks for a token, where the appliance answers nobody without one, or lets whoever has none only look. */
import { type ComponentChild, h } from "preact";
import { useState } from "preact/hooks";
import type { Desk } from "../desk.ts";
import type { PageState } from "../page-state.ts";
import { iconAddress } from "./icon-address.ts";

interface LoginParts {
  readonly desk: Desk;
  readonly login: Exclude<PageState["login"], "none">;
}

export function Login({ desk, login }: LoginParts): ComponentChild {
  const [token, setToken] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (token.trim() !== "") desk.logIn(token.trim());
  };
  return h(
    "main",
    { class: "login" },
    h(
      "form",
      { class: "panel", onSubmit: submit },
      h("img", { src: iconAddress(), alt: "" }),
      h("h1", null, login === "offered" ? "Give a token" : "A token is needed"),
      h(
        "p",
        { class: "soft" },
        login === "offered"
          ? "Without a token one may only look here. An administrator makes one with "
          : "This appliance shows itself to those who have a token. An administrator makes one with ",
        h("code", null, "tidemark token add NAME --role operate"),
        ".",
      ),
      login === "refused" &&
        h("p", { class: "note bad", role: "alert" }, "That token does not hold: it is not known, or has expired."),
      h(
        "label",
        null,
        "Token",
        h("input", {
          class: "field code",
          type: "password",
          name: "token",
          autocomplete: "off",
          autofocus: true,
          value: token,
          onInput: (event: Event) => setToken((event.target as HTMLInputElement).value),
        }),
      ),
      h("button", { class: "button first", type: "submit", disabled: token.trim() === "" }, "Go on"),
      login !== "needed" &&
        h(
          "button",
          { class: "button plain", type: "button", onClick: () => desk.goOnWithoutToken() },
          "Go on without one",
        ),
      h("p", { class: "small soft" }, "It is kept in this tab alone, and forgotten when the tab is closed."),
    ),
  );
}
