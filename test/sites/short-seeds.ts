/** As many worlds have each kind of fault in them; the long suite goes on from there. */
export const shortSeedCount = 1000;
