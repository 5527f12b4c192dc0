/** Points, as they are written. */

export const pointCharactersMax = 256;
export const pointWords = "now, seq:123, an ISO time, -5m, mark:NAME or snap:SEQ";
