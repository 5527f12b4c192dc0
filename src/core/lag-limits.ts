/** Bounds of how writers are slowed for the age of what the remote does not have. */
import { KiB } from "./limits.ts";

/** A lag that may be shorter counts as this: it takes the remote up to half a second to make something durable unasked. */
export const lagMsMaxMin = 2_000;
/** What a link is taken to do as long as nothing is known of it: a megabit in a second. */
export const lagDrainBytesPerSecondMin = 125_000;
/** However little a link does: some frames. */
export const lagAllowanceBytesMin = 128 * KiB;
/** Over so much of the lag that may be it is measured what is drained. */
export const lagSpanShare = 0.25;
export const lagSpanMsMax = 10_000;
export const lagSampleCountMax = 64;
/** From one word of the remote to the next: it may always do more than it was asked for so far. */
export const lagGrowthMax = 4;
export const lagShrinkMax = 0.5;
/** So much more than is allowed may wait before it is an excess: no measure is exact. */
export const lagOverMax = 1.1;
/** When an excess begins writers are slowed as they were, but no more than this. */
export const lagExcessPressure = 0.9;
/** Of what is drained, what counts for the excess. */
export const lagExcessShare = 0.5;
/** What a link has done, and nobody has asked of it since, is known half as well after so long. */
export const lagAllowanceHalfLifeMs = 60_000;
/** No more of a limit is used before it is looked again how near it is. */
export const unseenShareMax = 1 / 32;
