/** Asks where a point is to be restored to; back onto its volume only with the volume's name typed once more. */
import { type ComponentChild, h } from "preact";
import { useState } from "preact/hooks";
import type { PointReport } from "#src/control/density.ts";
import type { JobReport } from "#src/control/job.ts";
import type { Desk } from "../desk.ts";
import type { ShownVolume } from "../shown-volumes.ts";
import { countInWords, exactTime } from "../words.ts";
import { Dialog } from "./dialog.ts";
import { useTask } from "./hooks.ts";

interface RestoreParts {
  readonly desk: Desk;
  readonly volume: ShownVolume;
  readonly point: PointReport;
  readonly close: () => void;
  readonly begun: (job: JobReport) => void;
}

export function RestoreDialog({ desk, volume, point, close, begun }: RestoreParts): ComponentChild {
  const [isOwn, setOwn] = useState(false);
  const [path, setPath] = useState("");
  const [overwrite, setOverwrite] = useState(false);
  const [confirmation, setConfirmation] = useState("");
  const task = useTask();
  const isReady = isOwn ? confirmation === volume.name : path.trim().length > 1;
  const submit = (): void => {
    if (!isReady) return;
    const target = isOwn ? { target: volume.uris[0] ?? volume.source, confirm: confirmation } : { target: path.trim() };
    task.run("beginning", async () => {
      begun(await desk.restore({ volume: volume.reference, point: `seq:${point.seq}`, overwrite, ...target }));
      close();
      return undefined;
    });
  };
  return h(
    Dialog,
    { title: `Restore ${volume.reference}`, close, submit },
    h(
      "p",
      null,
      "As it was at ",
      h("strong", null, exactTime(Date.parse(point.time))),
      `, seq ${countInWords(point.seq)}.`,
    ),
    h(
      "fieldset",
      null,
      h("legend", null, "Where to"),
      choice("A file or a device", "A path on the remote appliance's machine, or an NBD address.", !isOwn, () =>
        setOwn(false),
      ),
      volume.uris.length > 0 &&
        choice(
          `Onto ${volume.name} itself`,
          "Its content is replaced. What it holds now is marked first, and stays a point.",
          isOwn,
          () => setOwn(true),
        ),
    ),
    isOwn ? ownFields(volume, confirmation, setConfirmation) : fileFields(path, setPath, overwrite, setOverwrite),
    task.said !== undefined && h("p", { class: "note bad", role: "alert" }, task.said.words),
    h(
      "div",
      { class: "end" },
      h("button", { type: "button", class: "button", onClick: close }, "Not now"),
      h(
        "button",
        {
          class: isOwn ? "button danger" : "button first",
          type: "submit",
          disabled: !isReady || task.doing !== undefined,
        },
        isOwn ? "Replace its content" : "Restore",
      ),
    ),
  );
}

function choice(title: string, what: string, isChosen: boolean, choose: () => void): ComponentChild {
  return h(
    "label",
    { class: "choice" },
    h("input", { type: "radio", name: "where", checked: isChosen, onChange: choose }),
    h("span", null, h("strong", null, title), h("br", null), h("span", { class: "small soft" }, what)),
  );
}

function ownFields({ name, connections }: ShownVolume, value: string, set: (text: string) => void): ComponentChild {
  return h(
    "div",
    { class: "dialog-part" },
    connections > 0 &&
      h("p", { class: "note warn" }, "A host is attached, and would not expect what is restored: detach it first."),
    h(
      "label",
      null,
      h("span", null, "Type ", h("code", null, name), " to say that this is meant"),
      h("input", {
        class: "field",
        value,
        autocomplete: "off",
        spellcheck: false,
        onInput: (event: Event) => set((event.target as HTMLInputElement).value),
      }),
    ),
  );
}

function fileFields(
  path: string,
  setPath: (text: string) => void,
  overwrite: boolean,
  set: (is: boolean) => void,
): ComponentChild {
  return h(
    "div",
    { class: "dialog-part" },
    h(
      "label",
      null,
      h("span", null, "Path"),
      h("input", {
        class: "field code",
        value: path,
        placeholder: "/srv/restored/disk.img",
        spellcheck: false,
        onInput: (event: Event) => setPath((event.target as HTMLInputElement).value),
      }),
    ),
    h(
      "label",
      { class: "choice" },
      h("input", {
        type: "checkbox",
        checked: overwrite,
        onChange: (event: Event) => set((event.target as HTMLInputElement).checked),
      }),
      h("span", null, "What is there already may be overwritten"),
    ),
  );
}
