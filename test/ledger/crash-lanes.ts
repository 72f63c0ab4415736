/** Lanes of the ledger that is killed again and again: what its child and its test must agree on. */
export const LANES = 8;
