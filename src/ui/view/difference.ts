/** What has changed since a point, along the volume from its beginning to its end. */
import { type ComponentChild, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { PointReport } from "#src/control/density.ts";
import { inWords } from "../api.ts";
import type { Desk } from "../desk.ts";
import { bytesIn, differencePath, type FoundDifference, joined } from "../difference-shape.ts";
import { bytesInWords, countInWords } from "../words.ts";
import { useWidth } from "./hooks.ts";

interface DifferenceParts {
  readonly desk: Desk;
  readonly volume: string;
  readonly from: PointReport;
}

/** Answers that are asked for one after the other; more is told of, and not drawn. */
const answersMax = 40;
const height = 28;

export function Difference({ desk, volume, from }: DifferenceParts): ComponentChild {
  const [found, setFound] = useState<FoundDifference | undefined>(undefined);
  const [failure, setFailure] = useState<string | undefined>(undefined);
  const [attach, width] = useWidth();
  useEffect(() => {
    let isWanted = true;
    const gather = async (): Promise<void> => {
      let all: FoundDifference | undefined;
      for (let count = 0; count < answersMax && isWanted && (all === undefined || all.next !== undefined); count++) {
        all = joined(all, await desk.difference(volume, `seq:${from.seq}`, all?.next ?? 0));
        if (isWanted) setFound(all);
      }
    };
    setFound(undefined);
    setFailure(undefined);
    gather().catch((error: unknown) => isWanted && setFailure(inWords(error)));
    return () => {
      isWanted = false;
    };
  }, [desk, volume, from.seq]);
  return h(
    "div",
    { class: "difference", ref: attach },
    failure !== undefined && h("p", { class: "note bad" }, failure),
    found === undefined && failure === undefined && h("p", { class: "soft" }, "Comparing…"),
    found !== undefined && h("p", { class: "small", role: "status" }, inSentence(found, from)),
    found !== undefined && width > 0 && h("svg", { width, height, "aria-hidden": "true" }, shapes(found, width)),
    found !== undefined &&
      h("p", { class: "between small soft" }, h("span", null, "0"), h("span", null, bytesInWords(found.sizeBytes))),
  );
}

function shapes(found: FoundDifference, width: number): ComponentChild[] {
  const box = { width, height };
  return [
    h("path", { key: "data", class: "data", d: differencePath(found, "data", box) }),
    h("path", { key: "zeros", class: "zeros", d: differencePath(found, "zeros", box) }),
    h("rect", { key: "frame", class: "frame-line", x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 4 }),
  ];
}

/** By its number: the newest point is another one a moment later. */
function inSentence(found: FoundDifference, { seq }: PointReport): string {
  const span = `between seq ${countInWords(seq)} and now`;
  if (found.ranges.length === 0) return `Nothing differs ${span}.`;
  const ranges = found.ranges.length === 1 ? "1 range" : `${countInWords(found.ranges.length)} ranges`;
  const more = found.next === undefined ? "" : " and more behind";
  return `${bytesInWords(bytesIn(found))} in ${ranges}${more} differ ${span}.`;
}
