/** Lanes of the ledger that is killed again and again: what its child and its test must agree on. The second half is historical. */
export const LANES = 8;
