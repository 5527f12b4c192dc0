/** Where there is nothing to say but that it was done. */
import { object } from "../../schema.ts";

export type Nothing = Readonly<Record<never, never>>;

export const nothing = object<Nothing>({}, "Nothing");
