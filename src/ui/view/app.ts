/** The whole page. */
import { type ComponentChild, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Desk } from "../desk.ts";
import { type PageState, selectedVolume, troublesOf } from "../page-state.ts";
import { EventList } from "./event-list.ts";
import { Header } from "./header.ts";
import { useDeskState } from "./hooks.ts";
import { Login } from "./login.ts";
import { VolumeList } from "./volume-list.ts";
import { VolumePage } from "./volume-page.ts";

export function App({ desk }: { readonly desk: Desk }): ComponentChild {
  const state = useDeskState(desk);
  const hash = useHash();
  if (state.login !== "none") return h(Login, { desk, login: state.login });
  return h(
    "div",
    { class: "frame" },
    h("a", { class: "skip", href: "#main", onClick: toMain }, "To the volume"),
    h(Header, { desk, state }),
    h("main", { id: "main", tabIndex: -1 }, h(Body, { desk, state, hash })),
  );
}

function Body({
  desk,
  state,
  hash,
}: {
  readonly desk: Desk;
  readonly state: PageState;
  readonly hash: string;
}): ComponentChild {
  const { status, connection } = state;
  if (status === undefined) {
    const isLost = connection.kind === "lost";
    return h("p", { class: "first-words" }, isLost ? "The appliance does not answer." : "Asking the appliance…");
  }
  const volume = selectedVolume(state, hash);
  const troubles = troublesOf(status);
  return h(
    "div",
    { class: "side" },
    connection.kind === "lost" &&
      h(
        "p",
        { class: "note bad" },
        "The connection is lost: what is shown is what was known last. It is tried again by itself.",
      ),
    troubles.length > 0 &&
      h(
        "ul",
        { class: `note ${status.ready ? "warn" : "bad"}`, "aria-label": "Problems" },
        troubles.map((words) => h("li", { key: words }, words)),
      ),
    volume === undefined
      ? h(NoVolumes, null)
      : h(
          "div",
          { class: "columns" },
          h(VolumeList, { state, selected: volume.reference }),
          h(VolumePage, { key: volume.reference, desk, state, volume }),
          h(EventList, { log: state.log }),
        ),
  );
}

/** The address goes on naming the volume. */
function toMain(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function NoVolumes(): ComponentChild {
  return h(
    "section",
    { class: "panel" },
    h("h1", null, "No volume yet"),
    h(
      "p",
      { class: "soft" },
      "Protect a file or a disk with ",
      h("code", null, "tidemark volume add NAME --source PATH"),
      ". It appears here at once.",
    ),
  );
}

function useHash(): string {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = (): void => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return hash;
}
