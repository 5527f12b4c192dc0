/** What is measured beside the cases, each in its own way: what is found, and how it is told. */
import type { BesideCopyFigures, InitialCopyFigures, ResyncFigures } from "./copy-results.ts";
import type { ExtraName } from "./path-cases.ts";
import {
  besideCopyGoals,
  besideCopyText,
  initialCopyGoals,
  initialCopyText,
  resyncGoals,
  resyncText,
} from "./path-report-copies.ts";
import { hotSpotGoals, hotSpotText, thinLinkGoals, thinLinkText } from "./path-report-links.ts";
import {
  memoryGoals,
  memoryText,
  sealingText,
  sustainedGoals,
  sustainedText,
  volumesGoals,
  volumesText,
} from "./path-report-loads.ts";
import { regionMapGoals, regionMapText } from "./path-report-region-map.ts";
import type {
  HotSpotFigures,
  MemoryFigures,
  SealingFigures,
  SustainedFigures,
  ThinLinkFigures,
  VolumesFigures,
} from "./path-results.ts";
import type { Goal } from "./path-words.ts";
import type { RegionMapFigures } from "./region-map-results.ts";

export interface ExtraFigures {
  readonly sustained: SustainedFigures;
  readonly memory: MemoryFigures;
  readonly volumes: VolumesFigures;
  readonly "hot-spot": HotSpotFigures;
  readonly "thin-link": ThinLinkFigures;
  readonly "beside-sealing": SealingFigures;
  readonly "initial-copy": InitialCopyFigures;
  readonly "beside-copy": BesideCopyFigures;
  readonly resync: ResyncFigures;
  readonly "region-map": RegionMapFigures;
}

export interface ExtraReport<Figures> {
  readonly title: string;
  readonly text: (figures: Figures) => string;
  readonly goals: (figures: Figures) => readonly Goal[];
}

export const extraReports: { readonly [Name in ExtraName]: ExtraReport<ExtraFigures[Name]> } = {
  sustained: { title: "A long write on disk", text: sustainedText, goals: sustainedGoals },
  memory: { title: "Memory", text: memoryText, goals: memoryGoals },
  volumes: { title: "Many volumes", text: volumesText, goals: volumesGoals },
  "hot-spot": { title: "Hot spots", text: hotSpotText, goals: hotSpotGoals },
  "thin-link": { title: "A thin link", text: thinLinkText, goals: thinLinkGoals },
  "beside-sealing": { title: "Writes beside sealing", text: sealingText, goals: () => [] },
  "initial-copy": { title: "The first copy", text: initialCopyText, goals: initialCopyGoals },
  "beside-copy": { title: "Writes beside the first copy", text: besideCopyText, goals: besideCopyGoals },
  resync: { title: "A resync", text: resyncText, goals: resyncGoals },
  "region-map": { title: "The region map", text: regionMapText, goals: regionMapGoals },
};
